"""How currents lie in memory: what kernels read as it is, and tensors laid out alike.

Kernels take time outermost and, in some order of the other axes, no gaps; or the same step shown at
every time, without a copy of it.
"""

from math import prod

import torch
from torch import Tensor


def readable(x: Tensor) -> Tensor:
    """x [T, ...], or a copy where kernels could not read it."""
    step = x[0]  # an empty tensor like one that has gaps has none, so other strides
    packed = torch.empty_like(step, device="meta").stride() == step.stride()
    return x if packed and (len(x) == 1 or x.stride(0) in (0, step.numel())) else x.contiguous()


def step_stride(x: Tensor) -> int:
    """How many numbers lie between one step of readable x and the next; 0 where all are one."""
    return 0 if len(x) > 1 and x.stride(0) == 0 else x[0].numel()


def like(x: Tensor) -> Tensor:
    """An empty tensor like readable x, with memory for every step."""
    return like_steps(x, len(x), x.dtype)


def like_steps(x: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """An empty tensor [count, ...], each of its parts laid out in memory as a time step of x."""
    shape = (count, *x.shape[1:])
    return torch.empty_strided(shape, strides(x), dtype=dtype, device=x.device)


def strides(x: Tensor) -> tuple[int, ...]:
    """Those of tensors like readable x."""
    return x[0].numel(), *x.stride()[1:]


def compute_type(storage: torch.dtype) -> torch.dtype:
    """What a kernel computes in: float64 for float64, else float32."""
    return torch.float64 if storage == torch.float64 else torch.float32


def spread(value: Tensor, x: Tensor) -> tuple[Tensor, int]:
    """Numbers of a constant, and `inner`: element i of a step of x reads number (i / inner) % n.

    value: broadcasts against a step of readable x, whose elements are numbered as in memory.
    """
    step = x[0]
    order = sorted(range(step.ndim), key=step.stride, reverse=True)
    whole = value.expand(step.shape).permute(order)
    varying = [axis for axis in range(step.ndim) if whole.stride(axis) != 0]
    first, last = (varying[0], varying[-1]) if varying else (0, -1)
    kept = tuple(slice(None) if first <= axis <= last else 0 for axis in range(step.ndim))
    numbers = whole[kept].to(compute_type(x.dtype)).contiguous()
    return numbers.flatten(), prod(whole.shape[last + 1 :])
