"""2-D convolutions."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.equality import ArrayEquality
from arlif.core.maps.bounds import Shape
from arlif.core.maps.int8_weights import Weighted, int8_weights
from arlif.core.maps.linear_map import LinearMap
from arlif.core.maps.window import Window


@final
@dataclass(frozen=True, eq=False)
class Conv2d(ArrayEquality, Weighted):
    """2-D cross-correlation, torch's convention. weight: int8 [Cout, Cin / groups, kH, kW]."""

    weight: NDArray[np.int8]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int8_weights(self.weight, 4, "convolution"))
        require(
            self.groups >= 1 and self.weight.shape[0] % self.groups == 0,
            f"groups must divide the {self.weight.shape[0]} output channels, not {self.groups}",
            NetworkError,
        )
        _ = self.window

    @cached_property
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

    def convolution(self, shape: Shape) -> "Conv2d":
        return self

    def fan_in(self, shape: Shape) -> int:
        return int(np.prod(self.weight.shape[1:]))

    def spread(self, reached: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
        per_group = reached.reshape(self.groups, -1, *reached.shape[1:]).sum(1)
        per_channel = np.repeat(per_group, shape[0] // self.groups, axis=0)
        return self.window.spread(per_channel, shape)

    def reads(self, block: Shape, shape: Shape) -> Shape:
        per_group = self.weight.shape[0] // self.groups
        aligned = block[0] % per_group == 0 or per_group % block[0] == 0
        groups = ceil(block[0] / per_group) if aligned else (block[0] - 2) // per_group + 2
        channels = min(groups, self.groups) * self.weight.shape[1]
        return (channels, *self.window.under(block, shape))


def as_convolution(linear: LinearMap, shape: Shape) -> Conv2d | None:
    """The same map on inputs of `shape` as a convolution; None where it is none."""
    found = linear.convolution(shape)
    assert found is None or isinstance(found, Conv2d), "a map answers with a Conv2d"
    return found
