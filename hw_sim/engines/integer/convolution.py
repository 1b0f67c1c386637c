"""Exact integer convolutions and matrix products on torch, in the cheapest arithmetic that holds.

Eight-bit products are exact while their sums fit 32 bits; oneDNN's are about four times as fast as
float32 on processors with VNNI. What does not fit them runs in floating point
(arlif.arithmetic.exact).
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from arlif.arithmetic.exact import (
    FLOAT32_EXACT,
    apply_map,
    convolve,
    exact_arithmetic,
    float_type,
)
from arlif.core.maps import Conv2d, Dense, Interval, LinearMap, SumPool2d, Window
from arlif.kernels import pools
from hw_sim.engines.integer.compiled_map import CompiledMap
from hw_sim.engines.integer.event_driven import event_driven


def compile_map(linear: LinearMap, interval: Interval, device: torch.device) -> CompiledMap:
    """A function that evaluates one map exactly on integers in `interval`.

    It takes and returns tensors [N, *shape] of any type that holds their integers exactly.
    """
    multiply = products(linear, interval, device)
    if isinstance(linear, Conv2d | Dense):
        return event_driven(linear, interval, device, multiply)
    return multiply


def products(linear: LinearMap, interval: Interval, device: torch.device) -> CompiledMap:
    """compile_map without events: every weight takes part, whatever the input.

    Any kind of map without a fast path here is evaluated as the map evaluates itself.
    """
    match linear:
        case SumPool2d():
            dtype = _pool_type(linear, interval)
            if device.type == "cpu" and dtype is torch.uint8 and pools.applies():
                return _BytePool(linear)
            return _Pool(linear.window, dtype)
        case Conv2d():
            if device.type == "cpu" and _fits_bytes(linear, interval) and has_byte_convolution():
                return _byte_convolution(linear)
            return _float_convolution(linear, interval, device)
        case Dense():
            weight = torch.tensor(linear.weight, device=device)
            if device.type == "cpu" and _fits_byte_product(linear, interval):
                return _ByteDense(weight.t())
            return _FloatDense(weight.t().to(float_type(linear.magnitude(interval))))
    return _ByItself(linear, float_type(linear.magnitude(interval)))


def _fits_bytes(linear: Conv2d, interval: Interval) -> bool:
    """Whether oneDNN's unsigned x signed byte products give this map exactly as float32.

    Inputs up to 127 also rule out 16-bit saturation on processors without VNNI, which add two
    products of at most 127 * 127 before they widen. oneDNN 3 (torch 2.13) was seen to be wrong for
    one input channel with a stride, and to crash on some dilations; tests hold it to what is left.
    """
    return (
        interval[0] >= 0
        and interval[1] <= 127
        and linear.magnitude(interval) < FLOAT32_EXACT
        and linear.groups == 1
        and linear.dilation == (1, 1)
        and linear.weight.shape[1] >= 8
    )


def _fits_byte_product(linear: Dense, interval: Interval) -> bool:
    """Whether torch._int_mm can be used; torch 2.13 reads foreign memory where there is 1 input."""
    return (
        interval[0] >= -127
        and interval[1] <= 127
        and linear.magnitude(interval) < 1 << 31
        and linear.weight.shape[1] >= 8
    )


@dataclass(frozen=True)
class _ByItself:
    linear: LinearMap
    dtype: torch.dtype

    def __call__(self, x: Tensor) -> Tensor:
        return apply_map(self.linear, x.to(self.dtype))


@dataclass(frozen=True)
class _BytePool:
    """Window sums up to 255."""

    linear: SumPool2d

    def __call__(self, x: Tensor) -> Tensor:
        frames = x.to(torch.uint8).movedim(1, -1).contiguous().numpy()
        sums = pools.pool(self.linear, frames, torch.get_num_threads())
        return torch.from_numpy(sums).movedim(-1, 1)


@dataclass(frozen=True)
class _Pool:
    """Window sums, row by row and then column by column."""

    window: Window
    dtype: torch.dtype

    def __call__(self, x: Tensor) -> Tensor:
        x = x.to(self.dtype)
        (top, left) = self.window.padding
        if top or left:
            x = functional.pad(x, (left, left, top, top))
        for axis in (0, 1):
            x = self._sum(x, axis)
        return x

    def _sum(self, x: Tensor, axis: int) -> Tensor:
        size, stride = self.window.kernel[axis], self.window.stride[axis]
        length = (x.shape[2 + axis] - size) // stride + 1
        whole = slice(None)
        taken = []
        for first in range(size):
            part = slice(first, first + (length - 1) * stride + 1, stride)
            taken.append(x[(whole, whole, *((part, whole) if axis == 0 else (whole, part)))])
        total = taken[0]
        for part_ in taken[1:]:
            total = total + part_
        return total


def _pool_type(linear: SumPool2d, interval: Interval) -> torch.dtype:
    low, high = linear.output_interval(interval)
    if low >= 0 and high <= 255:
        return torch.uint8
    return float_type(linear.magnitude(interval))


@dataclass(frozen=True)
class _ByteDense:
    """int8 x int8 -> int32; torch 2.13 reads foreign memory where rows are one that is repeated."""

    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return torch._int_mm(x.flatten(1).to(torch.int8).contiguous(), self.weight)


@dataclass(frozen=True)
class _FloatDense:
    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        with exact_arithmetic():
            return x.flatten(1).to(self.weight.dtype) @ self.weight


def _byte_convolution(linear: Conv2d) -> CompiledMap:
    """uint8 x int8 -> int32, returned as float32: oneDNN's quantized convolution with scale 1."""
    stride, padding, dilation = list(linear.stride), list(linear.padding), list(linear.dilation)
    outputs = linear.weight.shape[0]
    scales, zeros = torch.ones(outputs), torch.zeros(outputs, dtype=torch.int32)
    packed = torch.ops.onednn.qconv_prepack(
        torch.tensor(linear.weight), scales, 1.0, 0, stride, padding, dilation, 1
    )

    def evaluate(x: Tensor) -> Tensor:
        x = x.to(torch.uint8).contiguous(memory_format=torch.channels_last)
        return torch.ops.onednn.qconv2d_pointwise(
            *(x, 1.0, 0, packed, scales, zeros, None, stride, padding, dilation, 1),
            *(1.0, 0, torch.float32, "none", [], ""),
        )

    return evaluate


def _float_convolution(linear: Conv2d, interval: Interval, device: torch.device) -> CompiledMap:
    exact = float_type(linear.magnitude(interval))
    weight = torch.tensor(linear.weight, device=device, dtype=exact)
    weight = weight.contiguous(memory_format=torch.channels_last)

    def evaluate(x: Tensor) -> Tensor:
        x = x.to(exact).contiguous(memory_format=torch.channels_last)
        return convolve(x, weight, linear)

    return evaluate


@cache
def has_byte_convolution() -> bool:
    """Whether this build of torch has oneDNN's byte convolution and it is exact here."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randint(-127, 128, (32, 64, 3, 3), generator=generator).to(torch.int8)
    weight[0] = 127
    x = torch.randint(0, 128, (2, 64, 9, 9), generator=generator)
    x[0] = 127
    want = functional.conv2d(x.double(), weight.double(), padding=1)
    try:
        got = _byte_convolution(Conv2d(weight.numpy(), padding=(1, 1)))(x)
    except (AttributeError, RuntimeError):
        return False
    return bool((got == want).all())
