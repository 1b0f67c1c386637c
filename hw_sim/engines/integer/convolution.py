"""Exact integer convolutions and matrix products on torch, in the cheapest arithmetic that holds.

Bytes are multiplied as bytes on a CPU (arlif.kernels.byte_products). What does not fit them runs in
floating point (arlif.arithmetic.exact).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from arlif.arithmetic.exact import apply_map, convolve, exact_arithmetic, float_type
from arlif.core.maps import Conv2d, Dense, Interval, LinearMap, Shape, SumPool2d, Window
from arlif.kernels import byte_products, depthwise, pools
from arlif.kernels.call import Bound
from arlif.kernels.reused import Empty
from hw_sim.engines.integer.channels_last import ChannelsLast, as_window
from hw_sim.engines.integer.compiled_map import CompiledMap
from hw_sim.engines.integer.ways import Ways


def compile_map(
    linear: LinearMap,
    interval: Interval,
    device: torch.device,
    empty: Empty = np.empty,
    shape: Shape = (),
) -> CompiledMap:
    """A function that evaluates one map exactly on integers in `interval`.

    It takes and returns tensors [N, *shape] of any type that holds their integers exactly. Any kind
    of map without a fast path here is evaluated as the map evaluates itself. empty: makes
    the arrays that kernels return. shape: of a frame, so that a dense map takes it as it lies in
    memory.
    """
    picture = shape if len(shape) == 3 else ()
    match linear:
        case SumPool2d():
            dtype = _pool_type(linear, interval)
            if device.type == "cpu" and dtype is torch.uint8 and pools.applies():
                return _BytePool(linear, empty)
            return _Pool(linear.window, dtype)
        case Conv2d() if (ways := _ways(linear, interval, device, empty)) is not None:
            return ChannelsLast(False, ways)
        case Dense() if (ways := _ways(linear, interval, device, empty, picture)) is not None:
            return ChannelsLast(True, ways, bool(picture))
        case Conv2d() if device.type == "cpu" and depthwise.applies(linear, interval):
            return ChannelsLast(False, depthwise.Depthwise(linear, interval, empty))
        case Conv2d():
            return _float_convolution(linear, interval, device)
        case Dense():
            weight = torch.tensor(linear.weight, device=device)
            return _FloatDense(weight.t().to(float_type(linear.magnitude(interval))))
    return _ByItself(linear, float_type(linear.magnitude(interval)))


def _ways(
    linear: Conv2d | Dense,
    interval: Interval,
    device: torch.device,
    empty: Empty,
    picture: Shape = (),
) -> Ways | None:
    """The sums of bytes on a CPU, where they are known; picture: see as_window."""
    if device.type != "cpu":
        return None
    window = as_window(linear, picture)
    if not byte_products.applies(window, interval):
        return None
    return Ways.of(window, interval, empty, isinstance(linear, Dense))


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
    empty: Empty

    def __call__(self, x: Tensor) -> Tensor:
        frames = x.to(torch.uint8).movedim(1, -1).numpy()
        sums = pools.pool(self.linear, frames, torch.get_num_threads(), self.empty)
        return torch.from_numpy(sums).movedim(-1, 1)

    def bind(self, frames: NDArray[np.uint8], threads: int) -> Bound:
        """See FrameMap."""
        return pools.bind(self.linear, frames, threads, self.empty)


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
class _FloatDense:
    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        with exact_arithmetic():
            return x.flatten(1).to(self.weight.dtype) @ self.weight


def _float_convolution(linear: Conv2d, interval: Interval, device: torch.device) -> CompiledMap:
    exact = float_type(linear.magnitude(interval))
    weight = torch.tensor(linear.weight, device=device, dtype=exact)
    weight = weight.contiguous(memory_format=torch.channels_last)

    def evaluate(x: Tensor) -> Tensor:
        x = x.to(exact).contiguous(memory_format=torch.channels_last)
        return convolve(x, weight, linear)

    return evaluate
