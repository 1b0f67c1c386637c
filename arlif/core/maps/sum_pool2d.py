"""Sums over windows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps.bounds import Interval, Shape
from arlif.core.maps.conv2d import Conv2d
from arlif.core.maps.linear_map import LinearMap
from arlif.core.maps.window import Window


@final
@dataclass(frozen=True)
class SumPool2d(LinearMap):
    """Sum over a window, channel by channel; average pooling without its 1/n."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        _ = self.window

    @cached_property
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

    def stored_weights(self) -> None:
        return None

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        return self.window.patches(x).sum(axis=(4, 5), dtype=x.dtype)

    def convolution(self, shape: Shape) -> Conv2d:
        """A convolution of every channel by itself."""
        ones = np.ones((shape[0], 1, *self.kernel), np.int8)
        return Conv2d(ones, self.stride, self.padding, groups=shape[0])

    def fan_in(self, shape: Shape) -> int:
        return self.kernel[0] * self.kernel[1]

    def spread(self, reached: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
        return self.window.spread(reached, shape)

    def reads(self, block: Shape, shape: Shape) -> Shape:
        return (block[0], *self.window.under(block, shape))
