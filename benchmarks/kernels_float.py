"""Float kernels printed from the trace beside those that were written by hand, in turn.

`rows()` compiles the old ones from their sources and compares results; `unseen()` measures a neuron
that arlif has never seen. Part of kernels.py.
"""

import ctypes
from collections.abc import Iterator
from ctypes import c_double, c_int64, c_void_p

import torch
from old_kernels import Row, compared, old_library
from torch import Tensor

from arlif.core.neuron import Neuron
from arlif.core.real_neurons import (
    RealArlif,
    RealClif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)
from arlif.kernels import cpu
from arlif.kernels.kernel import Kernel, standard

FILES = ("real.cpp", "neurons.h", "vectors.h", "tiles.h", "kinds.h")
STEPS, SIZE, MANY = 4, 1 << 20, 10_000_000
NEURONS: dict[str, tuple[int, Neuron, tuple[str, ...]]] = {
    "AR-LIF": (0, RealArlif(0.5, 1.0, 0.9, 0.3), ("v_threshold", "decay", "alpha", "beta")),
    "AR-LIF without memory": (
        1,
        RealArlif(0.5, 1.0, 0.9, 0.3, memory=False),
        ("v_threshold", "decay", "beta"),
    ),
    "LIF soft": (2, RealLifSoft(), ("threshold", "decay")),
    "LIF hard": (3, RealLifHard(), ("threshold", "decay")),
    "LIF subtract": (4, RealLifSubtract(amount=0.9), ("threshold", "decay", "amount")),
    "LIF weighted": (5, RealLifWeighted(0.6, 1.0, 0.8), ("threshold", "decay", "gain")),
    "CLIF": (6, RealClif(), ("threshold", "decay")),
}
"""What the old kernels call a neuron, the neuron, and the constants in their order."""


class Old:
    """A neuron's old kernels: spikes, and gradients of x and of what learns."""

    def __init__(self, library: ctypes.CDLL, kind: int, numbers: list[float], sums: int) -> None:
        self.library, self.kind, self.sums = library, kind, sums
        self.numbers = (c_double * len(numbers))(*numbers)

    def forward(self, x: Tensor) -> Tensor:
        spikes = torch.empty_like(x)
        self._run("arlif_forward", x, (x, None, spikes, None))
        return spikes

    def backward(self, x: Tensor, of_spikes: Tensor) -> tuple[Tensor, Tensor]:
        of_x, sums = torch.empty_like(x), torch.zeros(self.sums, dtype=torch.float64)
        self._run("arlif_backward", x, (x, None, of_spikes, None, of_x, None, sums))
        return of_x, sums

    def _run(self, function: str, x: Tensor, tensors: tuple[Tensor | None, ...]) -> None:
        size = x[0].numel()
        sizes = map(c_int64, (len(x), size, size, 1))
        places = (c_void_p(None if t is None else t.data_ptr()) for t in tensors)
        getattr(self.library, function)(self.kind, 0, *sizes, self.numbers, *places)


class New:
    """Today's kernels of a neuron, with the same interface."""

    def __init__(self, kernel: Kernel, neuron: Neuron, shape: torch.Size) -> None:
        self.kernel = kernel
        values = neuron.constants()
        self.constants = [1.0, *(values[name] for name in kernel.numbers)]
        self.parameters = [torch.as_tensor(values[name]) for name in kernel.tensors]
        self.of_spread = torch.empty(len(kernel.of_spread), *shape)

    def forward(self, x: Tensor) -> Tensor:
        return cpu.forward(x, None, self.parameters, self.constants, self.kernel, None)

    def backward(self, x: Tensor, of_spikes: Tensor) -> tuple[Tensor, Tensor]:
        given = (x, None, self.parameters, self.constants, self.kernel)
        return cpu.backward(*given, of_spikes, None, None, self.of_spread)


def rows(repeats: int = 15) -> Iterator[Row]:
    """Two rows of each neuron, forward and backward."""
    library = old_library(FILES)
    for name, (kind, neuron, names) in NEURONS.items():
        values, kernel = neuron.constants(), standard(neuron)
        old = Old(library, kind, [1.0, *(values[n] for n in names)], len(kernel.sums))
        yield from _rows(name, old, New(kernel, neuron, torch.Size([SIZE])), names, repeats)


def _rows(name: str, old: Old, new: New, names: tuple[str, ...], repeats: int) -> Iterator[Row]:
    generator = torch.Generator().manual_seed(0)
    many = torch.randn(4, MANY // 4, generator=generator) * 2
    x, weights = many[:, :SIZE].contiguous(), torch.randn(STEPS, SIZE, generator=generator)
    spikes_equal = torch.equal(old.forward(many), new.forward(many))
    (of_x, theirs), (of_x_now, ours) = old.backward(x, weights), new.backward(x, weights)
    learned = [n for n in names if n in new.kernel.sums]
    order = [new.kernel.sums.index(n) for n in learned]
    close = _close(of_x, of_x_now) and _close(theirs, ours[order])
    updates, forwards = x.numel(), (lambda: old.forward(x), lambda: new.forward(x))
    backwards = (lambda: old.backward(x, weights), lambda: new.backward(x, weights))
    yield compared(f"float forward  {name}", *forwards, updates, repeats, spikes_equal)
    yield compared(f"float backward {name}", *backwards, updates, repeats, close)


def _close(want: Tensor, got: Tensor) -> bool:
    """To 1e-5 of the largest."""
    return not want.numel() or bool((got - want).abs().max() <= 1e-5 * want.abs().max())
