"""The kernels for tensors on a GPU, in Triton: the interface of arlif.kernels.cpu.

The loops over time stand here; the neuron's step and gradient are printed, and passed to them.
Constants are the kernel's numbers, its tensors of one number, and those of several, in order.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from arlif.kernels.kernel import Kernel
from arlif.kernels.layout import like, spread, step_stride
from arlif.kernels.triton_printer import module

ELEMENTS = 512
"""Neurons of one program."""
MOST_STEPS, MOST_VALUES = 8, 48
"""Time steps that a backward program holds in registers at once, and their values of a neuron."""


@triton.jit
def _constants(numbers, singles, several, index, inside):
    constants = numbers
    for i in tl.static_range(len(singles)):
        constants = constants + (tl.load(singles[i]),)
    for i in tl.static_range(len(several)):
        values, count, inner = several[i]
        at = index // inner % count
        constants = constants + (tl.load(values + at, mask=inside, other=0.0),)
    return constants


@triton.jit
def _load(pointer, size, index, inside, COUNT: tl.constexpr, TYPE: tl.constexpr = tl.float32):
    """COUNT values of every neuron, which lie one after another; zeros where there are none."""
    values = ()
    for i in tl.static_range(COUNT):
        value = tl.zeros_like(index).to(TYPE)
        if pointer is not None:
            value = tl.load(pointer + i * size + index, mask=inside, other=0.0)
        values = values + (value,)
    return values


@triton.jit
def _store(pointer, size, index, inside, values):
    for i in tl.static_range(len(values)):
        value = values[i].to(pointer.dtype.element_ty)
        tl.store(pointer + i * size + index, value, mask=inside)


@triton.jit
def _where(condition, values, others):
    chosen = ()
    for i in tl.static_range(len(values)):
        chosen = chosen + (tl.where(condition, values[i], others[i]),)
    return chosen


@triton.jit
def _forward(
    x, spikes, state, final, numbers, singles, several, steps, size, stride,
    STEP: tl.constexpr, STATES: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    # steps * size may need more than 32 bits
    size, stride = tl.cast(size, tl.int64), tl.cast(stride, tl.int64)
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = index < size
    constants = _constants(numbers, singles, several, index, inside)
    now = _load(state, size, index, inside, STATES)
    for t in range(steps):
        current = tl.load(x + t * stride + index, mask=inside, other=0.0).to(tl.float32)
        fired, now, _ = STEP(current, now, constants)
        _store(spikes + t * size, size, index, inside, (fired,))
    if final is not None:
        _store(final, size, index, inside, now)


@triton.jit
def _backward(
    x, of_spikes, of_x, state, of_final, of_state, of_several, sums, checkpoints,
    numbers, singles, several, steps, size, stride, width,
    STEP: tl.constexpr, GRADIENT: tl.constexpr, STATES: tl.constexpr, SUMS: tl.constexpr,
    SEVERAL: tl.constexpr, DEPTH: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Blocks of DEPTH steps, last to first: recompute one in registers, then differentiate it.

    Learned numbers: SUMS of one value for all neurons, then SEVERAL with a gradient for each.
    """
    # steps * size may need more than 32 bits
    size, stride = tl.cast(size, tl.int64), tl.cast(stride, tl.int64)
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = index < size
    constants = _constants(numbers, singles, several, index, inside)
    now = _load(state, size, index, inside, STATES)
    last = (steps - 1) // DEPTH
    for block in range(last):
        _store(checkpoints + block * STATES * size, size, index, inside, now)
        for offset in range(DEPTH):
            from_step = x + (block * DEPTH + offset) * stride
            current = tl.load(from_step + index, mask=inside, other=0.0).to(tl.float32)
            _, now, _ = STEP(current, now, constants)
    of_now = _load(of_final, size, index, inside, STATES)
    totals = _load(None, size, index, inside, SUMS + SEVERAL, tl.float64)
    for done in range(last + 1):
        first = (last - done) * DEPTH
        if done > 0:
            from_here = checkpoints + (last - done) * STATES * size
            now = _load(from_here, size, index, inside, STATES)
        history = ()
        for offset in tl.static_range(DEPTH):
            step = first + offset
            here = inside & (step * size + index < steps * size)
            current = tl.load(x + step * stride + index, mask=here, other=0.0).to(tl.float32)
            _, now, kept = STEP(current, now, constants)
            history = history + ((current, kept),)
        shares = _load(None, size, index, inside, SUMS + SEVERAL)
        for back in tl.static_range(DEPTH):
            step = first + DEPTH - 1 - back
            at = step * size + index
            here = inside & (at < steps * size)
            of_spike = tl.load(of_spikes + at, mask=here, other=0.0)
            current, kept = history[DEPTH - 1 - back]
            of_current, before, summed = GRADIENT(
                current, kept, constants, width, of_spike.to(tl.float32), of_now, shares
            )
            _store(of_x, size, at, here, (of_current,))
            of_now = _where(here, before, of_now)
            shares = _where(here, summed, shares)
        sums_now = ()
        for i in tl.static_range(SUMS + SEVERAL):
            sums_now = sums_now + (totals[i] + shares[i].to(tl.float64),)
        totals = sums_now
    if of_state is not None:
        _store(of_state, size, index, inside, of_now)
    for i in tl.static_range(SUMS):
        tl.store(sums + tl.program_id(0) * SUMS + i, tl.sum(totals[i]))
    _store(of_several, size, index, inside, totals[SUMS:])


def forward(
    x: Tensor,
    state: Tensor | None,
    parameters: list[Tensor],
    constants: list[float],
    kernel: Kernel,
    final: Tensor | None,
) -> Tensor:
    """As arlif.kernels.cpu.forward."""
    spikes, neuron = like(x), module(kernel)
    with _device(x):
        _forward[_grid(x)](
            x, spikes, state, final, *_given(x, kernel, parameters, constants), STEP=neuron.step,
            STATES=len(kernel.graph.states), BLOCK=ELEMENTS, enable_fp_fusion=True,
        )  # fmt: skip
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
    """As arlif.kernels.cpu.backward."""
    of_x, neuron, states = like(x), module(kernel), len(kernel.graph.states)
    room = max(1, MOST_VALUES // (1 + neuron.KEPT))  # x is one more
    depth = min(len(x), MOST_STEPS, 1 << room.bit_length() - 1)
    memory = (len(x) - 1) // depth * states * x[0].numel()
    checkpoints = torch.empty(memory, dtype=torch.float32, device=x.device)
    sums = torch.empty(*_grid(x), len(kernel.sums), dtype=torch.float64, device=x.device)
    with _device(x):
        _backward[_grid(x)](
            x, of_spikes, of_x, state, of_final, of_state, of_spread, sums, checkpoints,
            *_given(x, kernel, parameters, constants), constants[0], STEP=neuron.step,
            GRADIENT=neuron.gradient, STATES=states, SUMS=len(kernel.sums),
            SEVERAL=len(kernel.of_spread), DEPTH=depth, BLOCK=ELEMENTS, enable_fp_fusion=True,
        )  # fmt: skip
    return of_x, sums.sum(0)


def _given(
    x: Tensor, kernel: Kernel, parameters: list[Tensor], constants: list[float]
) -> tuple[Any, ...]:
    """What `_constants` reads; then steps, size and stride."""
    tensors = dict(zip(kernel.tensors, parameters, strict=True))
    singles = tuple(value for name, value in tensors.items() if name not in kernel.spread)
    parts = [spread(tensors[name], x) for name in kernel.spread]
    several = tuple((values, len(values), inner) for values, inner in parts)
    return tuple(constants[1:]), singles, several, len(x), x[0].numel(), step_stride(x)


def _grid(x: Tensor) -> tuple[int]:
    return (max(1, triton.cdiv(x[0].numel(), ELEMENTS)),)


def _device(x: Tensor) -> AbstractContextManager[object]:
    """Triton launches on the current device; the interpreter has none."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()
