"""How currents lie in memory: what kernels read as it is, and tensors laid out alike.

Kernels take time outermost and, in some order of the other axes, no gaps; or the same step shown at
every time, without a copy of it.
"""

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
