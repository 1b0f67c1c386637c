"""The compiled kernels on torch tensors in main memory."""

from ctypes import CDLL, POINTER, Structure, byref, c_double, c_int64, c_void_p, sizeof
from functools import cache

import torch
from torch import Tensor

from arlif.core.real_neurons import BUILT_IN
from arlif.kernels.build import Source, library, loaded
from arlif.kernels.kernel import Kernel, standard
from arlif.kernels.layout import like, spread, step_stride
from arlif.kernels.real_printer import printed

STORAGE = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2}
"""How x may lie in memory; numbers are those of real.cpp."""


class _Spread(Structure):
    """Spread of real.cpp."""

    _fields_ = (("values", c_void_p), ("count", c_int64), ("inner", c_int64))


class _Call(Structure):
    """Call of real.cpp."""

    _fields_ = (
        *((name, c_int64) for name in ("steps", "size", "stride", "threads")),
        ("numbers", POINTER(c_double)),
        ("spread", POINTER(_Spread)),
        ("integers", c_void_p),
    )


def runs(kernel: Kernel) -> bool:
    """Whether the kernel could be compiled here."""
    return library(_placed(kernel)[0]) is not None


def forward(
    x: Tensor,
    state: Tensor | None,
    parameters: list[Tensor],
    constants: list[float],
    kernel: Kernel,
    final: Tensor | None,
) -> Tensor:
    """Spikes of readable x [T, ...]; fills `final`. States are [states, ...], laid out as x."""
    spikes = like(x)
    tensors = (x, state, spikes, final)
    call("arlif_forward", _placed(kernel), kernel, x, parameters, constants, tensors)
    return spikes


def backward(
    x: Tensor,
    state: Tensor | None,
    parameters: list[Tensor],
    constants: list[float],
    kernel: Kernel,
    of_spikes: Tensor,
    of_final: Tensor | None,
    of_state: Tensor | None,
    of_spread: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gradients of x and of `kernel.sums`, from those of the spikes and of the final state.

    Fills the gradient of the first state, and `of_spread` [kernel.of_spread, ...], laid out as x:
    every element's share.
    """
    of_x, sums = like(x), torch.zeros(len(kernel.sums), dtype=torch.float64)
    tensors = (x, state, of_spikes, of_final, of_x, of_state, of_spread, sums)
    call("arlif_backward", _placed(kernel), kernel, x, parameters, constants, tensors)
    return of_x, sums


def built_in_source() -> Source:
    """What the kernels of the neurons that come with arlif are compiled from."""
    return Source(("real.cpp",), printed(_built_in_kernels()))


@cache
def _built_in_kernels() -> tuple[Kernel, ...]:
    return tuple(standard(neuron) for neuron in BUILT_IN)


@cache
def _placed(kernel: Kernel) -> tuple[Source, int]:
    """The library that a kernel is in, and its number there."""
    ours = _built_in_kernels()
    if kernel in ours:
        return built_in_source(), ours.index(kernel)
    return Source(("real.cpp",), printed((kernel,))), 0


def call(
    function: str,
    placed: tuple[Source, int],
    kernel: Kernel,
    x: Tensor,
    parameters: list[Tensor],
    constants: list[float],
    tensors: tuple[Tensor | None, ...],
    integers: int | None = None,
) -> None:
    """Run a function of real.cpp on these tensors; integers: the address of what quantized.h reads.

    placed: the library that a kernel is in, and its number there.
    """
    source, number = placed
    given = dict(zip(kernel.tensors, parameters, strict=True))
    width, *rest = constants
    plain = iter(rest)
    names = [name for name in kernel.graph.parameters() if name not in kernel.spread]
    numbers = [width, *(given[n].item() if n in given else next(plain) for n in names)]
    parts = [spread(given[name], x) for name in kernel.spread]
    work = _Call(
        x.shape[0],
        x[0].numel(),
        step_stride(x),
        torch.get_num_threads(),
        (c_double * len(numbers))(*numbers),
        (_Spread * len(parts))(*(_Spread(p.data_ptr(), p.numel(), inner) for p, inner in parts)),
        integers,
    )
    addresses = (c_void_p(None if t is None else t.data_ptr()) for t in tensors)
    getattr(_library(source), function)(number, STORAGE[x.dtype], byref(work), *addresses)


def _library(source: Source) -> CDLL:
    return loaded(source, "arlif_real_layout", sizeof(_Spread), sizeof(_Call))
