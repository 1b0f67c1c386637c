"""Float kernels printed from the trace beside those that were written by hand.

Part of kernels.py.
"""

import ctypes
from collections.abc import Iterator
from ctypes import c_double, c_int64, c_void_p

import torch
from old_kernels import Row, in_turns, old_library
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
from arlif.kernels.kernel import standard

FILES = ("real.cpp", "neurons.h", "vectors.h", "tiles.h", "kinds.h")
STEPS, SIZE = 4, 1 << 20
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

    def __init__(self, neuron: Neuron) -> None:
        self.kernel, values = standard(neuron), neuron.constants()
        self.constants = [1.0, *(values[name] for name in self.kernel.numbers)]
        self.parameters = [torch.as_tensor(values[name]) for name in self.kernel.tensors]

    def forward(self, x: Tensor) -> Tensor:
        return cpu.forward(x, None, self.parameters, self.constants, self.kernel, None)

    def backward(self, x: Tensor, of_spikes: Tensor) -> tuple[Tensor, Tensor]:
        given = (x, None, self.parameters, self.constants, self.kernel)
        return cpu.backward(*given, of_spikes, None, None, torch.empty(0, *x.shape[1:]))


def rows(repeats: int, compared: int) -> Iterator[Row]:
    """Two rows of each neuron. compared: spikes that must be equal in each."""
    library = old_library(*FILES)
    generator = torch.Generator().manual_seed(0)
    many = torch.randn(STEPS, compared // STEPS, generator=generator) * 2
    x = torch.randn(STEPS, SIZE, generator=generator) * 2
    weights = torch.randn(STEPS, SIZE, generator=generator)
    each = 1e9 / x.numel()
    for name, (kind, neuron, names) in NEURONS.items():
        values, new = neuron.constants(), New(neuron)
        sums = new.kernel.sums
        old = Old(library, kind, [1.0, *(values[n] for n in names)], len(sums))
        different = float((old.forward(many) != new.forward(many)).sum())
        times = in_turns(lambda: old.forward(x), lambda: new.forward(x), repeats)  # noqa: B023
        yield Row("forward", name, times[0] * each, times[1] * each, times[2], 8, different)
        (of_x, theirs), (of_x_now, ours) = old.backward(x, weights), new.backward(x, weights)
        ours = ours[[sums.index(n) for n in names if n in sums]]
        difference = max(_difference(of_x, of_x_now), _difference(theirs, ours))
        both = (lambda: old.backward(x, weights), lambda: new.backward(x, weights))  # noqa: B023
        times = in_turns(*both, repeats)
        yield Row("backward", name, times[0] * each, times[1] * each, times[2], 12, difference)


def _difference(want: Tensor, got: Tensor) -> float:
    """The largest, relative to the largest of what is wanted."""
    return float((got - want).abs().max() / want.abs().max()) if want.numel() else 0.0
