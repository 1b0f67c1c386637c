"""Integer linear maps on torch in floating point, exact and differentiable.

Integers stay exact in float32 while every partial sum stays below 2**24, in float64 below 2**53.
Algorithms that leave the integers on the way (Winograd, FFT, TF32) are never used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from arlif.arithmetic.pointwise import gathered
from arlif.core.maps import Conv2d, LinearMap, SumPool2d

FLOAT32_EXACT = 2**24
"""Integers below this, and their sums, are exact in float32."""


def float_type(bound: int) -> torch.dtype:
    """The narrowest float type in which sums up to `bound` are exact."""
    return torch.float32 if bound < FLOAT32_EXACT else torch.float64


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """While open, products are products: no autocast, no TF32 on a GPU, no NNPACK (Winograd)."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.backends.nnpack.flags(enabled=False),
            torch.autocast("cpu", enabled=False),
            torch.autocast("cuda", enabled=False),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)


def convolve(x: Tensor, weight: Tensor, linear: Conv2d) -> Tensor:
    """The geometry of `linear` with `weight` [Cout, Cin / groups, kH, kW] on x [N, C, H, W].

    On a CPU oneDNN's direct convolution; elsewhere, where the library may choose Winograd, patches
    and a matrix product.
    """
    if x.device.type != "cpu":
        return convolve_by_product(x, weight, linear)
    x, stride = gathered(x, weight, linear.stride, linear.padding, linear.groups)
    with exact_arithmetic():
        return functional.conv2d(
            x, weight, None, stride, linear.padding, linear.dilation, linear.groups
        )


def convolve_by_product(x: Tensor, weight: Tensor, linear: Conv2d) -> Tensor:
    """Convolution as patches in columns and a matrix product; on any device."""
    window = linear.window
    columns = functional.unfold(x, window.kernel, window.dilation, window.padding, window.stride)
    rows = weight.reshape(linear.groups, -1, weight[0].numel())
    with exact_arithmetic():
        out = rows @ columns.view(len(x), linear.groups, weight[0].numel(), -1)
    return out.reshape(len(x), -1, *window.output_size(tuple(x.shape[1:])))


def sum_pool(x: Tensor, pool: SumPool2d) -> Tensor:
    """Window sums of x [N, C, H, W]."""
    return functional.avg_pool2d(x, pool.kernel, pool.stride, pool.padding, divisor_override=1)


def apply_map(linear: LinearMap, x: Tensor) -> Tensor:
    """Any map on x [N, *shape], which holds integers in a float type of `float_type`.

    It is the map's own evaluation, on the CPU; gradients go through its matrix.
    """
    return _Applied.apply(x, linear)  # type: ignore[no-untyped-call]


class _Applied(torch.autograd.Function):
    """y = A x and x' = A^T y', where A is the map's matrix on inputs of this shape."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, linear: LinearMap) -> Tensor:
        ctx.linear, ctx.shape = linear, x.shape
        y = linear(x.detach().cpu().numpy())
        return torch.from_numpy(np.ascontiguousarray(y)).to(x.device)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        taps = ctx.linear.taps(tuple(ctx.shape[1:]))
        places = torch.from_numpy(np.stack([taps.inputs, taps.outputs])).to(gradient.device)
        transposed = torch.sparse_coo_tensor(
            places,
            torch.from_numpy(taps.weights).to(gradient),
            (ctx.shape[1:].numel(), gradient[0].numel()),
            check_invariants=False,
        )
        return (transposed @ gradient.flatten(1).t()).t().reshape(ctx.shape), None
