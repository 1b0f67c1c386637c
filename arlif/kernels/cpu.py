"""The compiled kernels on torch tensors in main memory."""

from ctypes import CDLL, POINTER, Structure, byref, c_double, c_int64, c_void_p, sizeof
from functools import cache
from typing import NamedTuple

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
        *((name, c_int64) for name in ("first", "steps", "size", "stride", "threads")),
        ("numbers", POINTER(c_double)),
        ("spread", POINTER(_Spread)),
        ("integers", c_void_p),
        *((name, c_void_p) for name in ("x", "of_spikes", "start", "of_final")),
        *((name, c_void_p) for name in ("out", "end", "of_spread", "of_numbers")),
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
    tensors: dict[str, Tensor | None] = {"start": state, "out": spikes, "end": final}
    call(_placed(kernel), kernel, x, parameters, constants, tensors)
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
    tensors: dict[str, Tensor | None] = {
        "of_spikes": of_spikes,
        "start": state,
        "of_final": of_final,
        "out": of_x,
        "end": of_state,
        "of_spread": of_spread,
        "of_numbers": sums,
    }
    call(_placed(kernel), kernel, x, parameters, constants, tensors)
    return of_x, sums


def built_in_source() -> Source:
    """What the kernels of the neurons that come with arlif are compiled from."""
    return Source(("real.cpp",), printed(_built_in_kernels()))


@cache
def _built_in_kernels() -> tuple[Kernel, ...]:
    return tuple(map(standard, BUILT_IN))


@cache
def _placed(kernel: Kernel) -> tuple[Source, int]:
    """The library that a kernel is in, and its number there."""
    ours = _built_in_kernels()
    if kernel in ours:
        return built_in_source(), ours.index(kernel)
    return Source(("real.cpp",), printed((kernel,))), 0


def call(
    placed: tuple[Source, int],
    kernel: Kernel,
    x: Tensor,
    parameters: list[Tensor],
    constants: list[float],
    tensors: dict[str, Tensor | None],
    integers: int | None = None,
) -> None:
    """Run real.cpp on x and these tensors, by their names in its Call; with of_spikes, backward.

    placed: the library that a kernel is in, and its number there. integers: the address of what
    quantized.h reads.
    """
    source, number = placed
    order = _order(kernel)
    width, *given = constants
    rest = iter(given)
    numbers = [next(rest) if n is None else parameters[n].item() for n in order.numbers]
    several = [spread(parameters[place], x) for place in order.spread]
    arrays = (_Spread(values.data_ptr(), values.numel(), inner) for values, inner in several)
    work = _Call(
        0,
        x.shape[0],
        x[0].numel(),
        step_stride(x),
        torch.get_num_threads(),
        (c_double * (1 + len(numbers)))(width, *numbers),
        (_Spread * len(several))(*arrays),
        integers,
    )
    for name, tensor in ({"x": x} | tensors).items():
        setattr(work, name, None if tensor is None else tensor.data_ptr())
    _library(source).arlif_real(number, STORAGE[x.dtype], byref(work))


class _Order(NamedTuple):
    """Which parameter each constant is, by place: those of one value, None for a plain number.

    And those of several values.
    """

    numbers: tuple[int | None, ...]
    spread: tuple[int, ...]


@cache
def _order(kernel: Kernel) -> _Order:
    places = {name: place for place, name in enumerate(kernel.tensors)}
    single = (name for name in kernel.graph.parameters() if name not in kernel.spread)
    return _Order(
        tuple(places.get(name) for name in single), tuple(places[name] for name in kernel.spread)
    )


@cache
def _library(source: Source) -> CDLL:
    return loaded(source, "arlif_real_layout", sizeof(_Spread), sizeof(_Call))
