"""The kernels for tensors on a GPU, in Triton: the interface of arlif.kernels.cpu."""

from contextlib import AbstractContextManager, nullcontext

import torch
import triton
import triton.language as tl
from torch import Tensor

from arlif.kernels.gpu_steps import (
    ARLIF,
    ARLIF_WITHOUT_MEMORY,
    LIF_SUBTRACT,
    LIF_WEIGHTED,
    gradient,
    step,
)
from arlif.kernels.kinds import STATES
from arlif.kernels.layout import like, step_stride

ELEMENTS = 512
"""Neurons of one program."""
STEPS_IN_REGISTERS = 8
"""Time steps whose intermediate values a backward program holds at once."""


@triton.jit
def _parameters(pointer, KIND: tl.constexpr):
    p, q = 0.0, 0.0
    if KIND == ARLIF or KIND == LIF_WEIGHTED:
        p, q = tl.load(pointer), tl.load(pointer + 1)
    elif KIND == ARLIF_WITHOUT_MEMORY or KIND == LIF_SUBTRACT:
        q = tl.load(pointer)
    return p, q


@triton.jit
def _load_state(pointer, size, index, inside, STATES: tl.constexpr, GIVEN: tl.constexpr):
    u = tl.zeros_like(index).to(tl.float32)
    r = u
    if GIVEN:
        u = tl.load(pointer + index, mask=inside, other=0.0)
        if STATES == 2:
            r = tl.load(pointer + size + index, mask=inside, other=0.0)
    return u, r


@triton.jit
def _store_state(pointer, size, index, inside, u, r, STATES: tl.constexpr):
    tl.store(pointer + index, u, mask=inside)
    if STATES == 2:
        tl.store(pointer + size + index, r, mask=inside)


@triton.jit
def _forward(
    x, spikes, state, final, parameters, steps, size, stride, threshold, decay,
    KIND: tl.constexpr, STATES: tl.constexpr, START: tl.constexpr, END: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    # steps * size may need more than 32 bits
    size, stride = tl.cast(size, tl.int64), tl.cast(stride, tl.int64)
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = index < size
    p, q = _parameters(parameters, KIND)
    u, r = _load_state(state, size, index, inside, STATES, START)
    for t in range(steps):
        at = t * size + index
        current = tl.load(x + t * stride + index, mask=inside, other=0.0).to(tl.float32)
        fired, u, r, _ = step(current, u, r, threshold, decay, p, q, KIND)
        tl.store(spikes + at, fired.to(spikes.dtype.element_ty), mask=inside)
    if END:
        _store_state(final, size, index, inside, u, r, STATES)


@triton.jit
def _backward(
    x, of_spikes, of_x, state, of_final, of_state, parameters, of_parameters, checkpoints,
    steps, size, stride, width, threshold, decay,
    KIND: tl.constexpr, STATES: tl.constexpr, START: tl.constexpr, END: tl.constexpr,
    DEPTH: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Blocks of DEPTH steps, last to first: recompute one in registers, then differentiate it."""
    # steps * size may need more than 32 bits
    size, stride = tl.cast(size, tl.int64), tl.cast(stride, tl.int64)
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = index < size
    p, q = _parameters(parameters, KIND)
    u, r = _load_state(state, size, index, inside, STATES, START)
    last = (steps - 1) // DEPTH
    for block in range(last):
        _store_state(checkpoints + block * STATES * size, size, index, inside, u, r, STATES)
        for offset in range(DEPTH):
            from_step = x + (block * DEPTH + offset) * stride
            current = tl.load(from_step + index, mask=inside, other=0.0).to(tl.float32)
            _, u, r, _ = step(current, u, r, threshold, decay, p, q, KIND)
    of_u, of_r = _load_state(of_final, size, index, inside, STATES, END)
    sum_p = tl.zeros_like(of_u).to(tl.float64)
    sum_q = sum_p
    for done in range(last + 1):
        first = (last - done) * DEPTH
        block_p = tl.zeros_like(of_u)
        block_q = block_p
        if done > 0:
            from_here = checkpoints + (last - done) * STATES * size
            u, r = _load_state(from_here, size, index, inside, STATES, True)
        currents = ()
        history = ()
        for offset in tl.static_range(DEPTH):
            at = (first + offset) * size + index
            here = inside & (at < steps * size)
            from_step = x + (first + offset) * stride
            current = tl.load(from_step + index, mask=here, other=0.0).to(tl.float32)
            _, u, r, kept = step(current, u, r, threshold, decay, p, q, KIND)
            currents = currents + (current,)
            history = history + (kept,)
        for back in tl.static_range(DEPTH):
            at = (first + DEPTH - 1 - back) * size + index
            here = inside & (at < steps * size)
            of_spike = tl.load(of_spikes + at, mask=here, other=0.0).to(tl.float32)
            of_current, next_u, next_r, of_p, of_q = gradient(
                currents[DEPTH - 1 - back], of_spike, history[DEPTH - 1 - back], of_u, of_r,
                width, threshold, decay, p, q, KIND,
            )  # fmt: skip
            tl.store(of_x + at, of_current.to(of_x.dtype.element_ty), mask=here)
            of_u = tl.where(here, next_u, of_u)
            of_r = tl.where(here, next_r, of_r)
            block_p += tl.where(here, of_p, 0.0)
            block_q += tl.where(here, of_q, 0.0)
        sum_p += block_p.to(tl.float64)
        sum_q += block_q.to(tl.float64)
    if START:
        _store_state(of_state, size, index, inside, of_u, of_r, STATES)
    row = of_parameters + tl.program_id(0) * 2
    tl.store(row, tl.sum(sum_p))
    tl.store(row + 1, tl.sum(sum_q))


def forward(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    constants: list[float],
    kind: int,
    final: Tensor | None,
) -> Tensor:
    """As arlif.kernels.cpu.forward."""
    spikes, (steps, size) = like(x), _extent(x)
    _, threshold, decay = _three(constants)
    with _device(x):
        _forward[(max(1, triton.cdiv(size, ELEMENTS)),)](
            x, spikes, _or(state, x), _or(final, x), parameters, steps, size,
            step_stride(x), threshold, decay,
            KIND=kind, STATES=STATES[kind], START=state is not None, END=final is not None,
            BLOCK=ELEMENTS,
        )  # fmt: skip
    return spikes


def backward(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    constants: list[float],
    kind: int,
    of_spikes: Tensor,
    of_final: Tensor | None,
    of_state: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """As arlif.kernels.cpu.backward."""
    of_x, (steps, size) = like(x), _extent(x)
    programs, depth = max(1, triton.cdiv(size, ELEMENTS)), min(steps, STEPS_IN_REGISTERS)
    blocks = (steps - 1) // depth
    checkpoints = torch.empty(blocks * STATES[kind] * size, dtype=torch.float32, device=x.device)
    sums = torch.empty(programs, 2, dtype=torch.float64, device=x.device)
    with _device(x):
        _backward[(programs,)](
            x, of_spikes, of_x, _or(state, x), _or(of_final, x), _or(of_state, x), parameters,
            sums, checkpoints, steps, size, step_stride(x), *_three(constants),
            KIND=kind, STATES=STATES[kind], START=state is not None, END=of_final is not None,
            DEPTH=depth, BLOCK=ELEMENTS,
        )  # fmt: skip
    return of_x, sums.sum(0)[2 - len(parameters) :]


def _three(constants: list[float]) -> list[float]:
    """Width, threshold, decay; 0 where a parameter is the decay."""
    return [*constants, 0.0][:3]


def _extent(x: Tensor) -> tuple[int, int]:
    return x.shape[0], x[0].numel()


def _device(x: Tensor) -> AbstractContextManager[object]:
    """Triton launches on the current device; the interpreter has none."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()


def _or(tensor: Tensor | None, other: Tensor) -> Tensor:
    """A pointer for Triton where there is none; the kernel does not read it."""
    return other if tensor is None else tensor
