"""Integer linear maps: what a projection does to spikes before they are summed.

Each map knows its output shape, the interval its outputs can reach, and how to evaluate itself
exactly on numpy. Shapes leave out time and batch; data is [..., C, H, W] or [..., features].
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.equality import ArrayEquality, frozen_array

Shape = tuple[int, ...]
Interval = tuple[int, int]
"""Lowest and highest value, both inclusive; always contains 0."""


class LinearMap(Protocol):
    """What a map supplies; a new kind of map is one class with these."""

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the output for inputs of `shape`; raises NetworkError where they do not fit."""

    def output_interval(self, interval: Interval) -> Interval:
        """The tightest interval of outputs for inputs in `interval`."""

    def magnitude(self, interval: Interval) -> int:
        """A bound on every partial sum of |weight| |input|, in any order of summation."""

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        """Evaluate on floating-point integers `x`; exact while magnitude fits the mantissa."""


def exact_float(bound: int) -> type[np.floating]:
    """The narrowest float type in which integer sums up to `bound` are exact."""
    require(bound < 2**53, f"a sum may reach {bound}, past 2**53; use fewer inputs", NetworkError)
    return np.float32 if bound < 2**24 else np.float64


def _weights(values: Any, dimensions: int, what: str) -> NDArray[np.int8]:
    array = np.asarray(values)
    require(
        array.ndim == dimensions and array.size > 0,
        f"{what} weights have {dimensions} dimensions and are not empty; got shape {array.shape}",
        NetworkError,
    )
    require(
        np.issubdtype(array.dtype, np.integer) and bool(array.min() >= -127 and array.max() <= 127),
        f"{what} weights are integers in [-127, 127]; got {array.dtype} in "
        f"[{array.min()}, {array.max()}]: quantize them first",
        NetworkError,
    )
    return frozen_array(array, np.int8)


def _weighted_interval(weight: NDArray[np.int8], interval: Interval) -> Interval:
    rows = weight.reshape(len(weight), -1).astype(np.int64)
    negative = np.minimum(rows, 0).sum(1)
    positive = np.maximum(rows, 0).sum(1)
    low, high = interval
    lowest, highest = positive * low + negative * high, positive * high + negative * low
    return int(lowest.min()), int(highest.max())


def _weighted_magnitude(weight: NDArray[np.int8], interval: Interval) -> int:
    rows = np.abs(weight.reshape(len(weight), -1).astype(np.int64))
    return int(rows.sum(1).max()) * max(-interval[0], interval[1])


@dataclass(frozen=True, eq=False)
class Dense(ArrayEquality):
    """y = W x over all features, C order. weight: int8 [outputs, inputs]."""

    weight: NDArray[np.int8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _weights(self.weight, 2, "dense"))

    def output_shape(self, shape: Shape) -> Shape:
        features = int(np.prod(shape))
        require(
            features == self.weight.shape[1],
            f"a dense map of {self.weight.shape[1]} inputs cannot take shape {shape} "
            f"({features} features)",
            NetworkError,
        )
        return (self.weight.shape[0],)

    def output_interval(self, interval: Interval) -> Interval:
        return _weighted_interval(self.weight, interval)

    def magnitude(self, interval: Interval) -> int:
        return _weighted_magnitude(self.weight, interval)

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        batch = x.reshape(-1, self.weight.shape[1])
        return batch @ self.weight.T.astype(x.dtype)


@dataclass(frozen=True)
class Window:
    """Geometry of a sliding window, each entry (vertical, horizontal)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            pair = getattr(self, name)
            require(
                len(pair) == 2 and min(pair) >= least,
                f"{name} must be two integers of at least {least}, not {pair}",
                NetworkError,
            )

    def output_size(self, shape: Shape) -> tuple[int, int]:
        """(H, W) of the output for an input (C, H, W)."""
        require(len(shape) == 3, f"a window needs shape (C, H, W), not {shape}", NetworkError)
        size = tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                shape[1:], self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        require(min(size) >= 1, f"{self} does not fit into an input of shape {shape}", NetworkError)
        return size[0], size[1]

    def patches(self, x: NDArray[Any]) -> NDArray[Any]:
        """Views of every window position: [N, C, H', W', kH, kW] of x [N, C, H, W]."""
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
        )
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        span = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
        return sliding_window_view(x, span, axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]  # type: ignore[call-overload]


@dataclass(frozen=True, eq=False)
class Conv2d(ArrayEquality):
    """2-D cross-correlation, torch's convention. weight: int8 [Cout, Cin / groups, kH, kW]."""

    weight: NDArray[np.int8]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _weights(self.weight, 4, "convolution"))
        require(
            self.groups >= 1 and self.weight.shape[0] % self.groups == 0,
            f"groups must divide the {self.weight.shape[0]} output channels, not {self.groups}",
            NetworkError,
        )
        _ = self.window

    @property
    def window(self) -> Window:
        """The geometry without the weights."""
        height, width = self.weight.shape[2:]
        return Window((height, width), self.stride, self.padding, self.dilation)

    def output_shape(self, shape: Shape) -> Shape:
        size = self.window.output_size(shape)
        channels = self.weight.shape[1] * self.groups
        require(
            shape[0] == channels,
            f"a convolution of {channels} input channels cannot take shape {shape}",
            NetworkError,
        )
        return (self.weight.shape[0], *size)

    def output_interval(self, interval: Interval) -> Interval:
        return _weighted_interval(self.weight, interval)

    def magnitude(self, interval: Interval) -> int:
        return _weighted_magnitude(self.weight, interval)

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        patches = self.window.patches(x)
        n, channels, height, width = patches.shape[:4]
        inner = self.weight.shape[1] * self.weight.shape[2] * self.weight.shape[3]
        columns = patches.reshape(n, self.groups, channels // self.groups, height, width, -1)
        columns = columns.transpose(1, 0, 3, 4, 2, 5).reshape(self.groups, -1, inner)
        kernel = self.weight.reshape(self.groups, -1, inner).astype(x.dtype)
        out = columns @ kernel.transpose(0, 2, 1)
        out = out.reshape(self.groups, n, height, width, -1).transpose(1, 0, 4, 2, 3)
        return np.ascontiguousarray(out.reshape(n, -1, height, width))


@dataclass(frozen=True)
class SumPool2d:
    """Sum over a window, channel by channel; average pooling without its 1/n."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        _ = self.window

    @property
    def window(self) -> Window:
        """The geometry."""
        return Window(self.kernel, self.stride, self.padding)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *self.window.output_size(shape))

    def output_interval(self, interval: Interval) -> Interval:
        area = self.kernel[0] * self.kernel[1]
        return interval[0] * area, interval[1] * area

    def magnitude(self, interval: Interval) -> int:
        return max(-interval[0], interval[1]) * self.kernel[0] * self.kernel[1]

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        return self.window.patches(x).sum(axis=(4, 5), dtype=x.dtype)


MAPS: dict[str, type] = {cls.__name__: cls for cls in (Dense, Conv2d, SumPool2d)}
"""Every linear map by the name it has in files."""


def chain_shape(maps: tuple[LinearMap, ...], shape: Shape) -> Shape:
    """Output shape of maps applied one after another."""
    return reduce(lambda shape, linear: linear.output_shape(shape), maps, shape)


def chain_interval(maps: tuple[LinearMap, ...], interval: Interval) -> Interval:
    """Output interval of maps applied one after another."""
    return reduce(lambda interval, linear: linear.output_interval(interval), maps, interval)


def chain_magnitude(maps: tuple[LinearMap, ...], interval: Interval) -> int:
    """The largest partial sum anywhere along the chain; decides which arithmetic is exact."""
    bound = max(-interval[0], interval[1])
    for linear in maps:
        bound = max(bound, linear.magnitude(interval))
        interval = linear.output_interval(interval)
    return bound


def apply_chain(
    maps: tuple[LinearMap, ...], x: NDArray[Any], interval: Interval
) -> NDArray[np.int64]:
    """Evaluate a chain exactly. x: integers [N, *shape] in `interval`; returns int64."""
    values: NDArray[Any] = x.astype(exact_float(chain_magnitude(maps, interval)))
    for linear in maps:
        values = linear(values)
    return values.astype(np.int64)
