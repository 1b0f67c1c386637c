"""A kind of map that arlif does not have: frames grow, every pixel becomes a rectangle."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.maps import Interval, LinearMap, Shape


@dataclass(frozen=True)
class Upsample2d(LinearMap):
    """y[c, i, j] = x[c, i // factor[0], j // factor[1]]; it stores no weights."""

    factor: tuple[int, int]

    def __post_init__(self) -> None:
        require(
            len(self.factor) == 2 and min(self.factor) >= 1,
            f"the factor of an upsampling is two integers of at least 1, not {self.factor}",
            NetworkError,
        )

    def output_shape(self, shape: Shape) -> Shape:
        require(len(shape) == 3, f"upsampling takes (C, H, W), not {shape}", NetworkError)
        return (shape[0], shape[1] * self.factor[0], shape[2] * self.factor[1])

    def output_interval(self, interval: Interval) -> Interval:
        return interval

    def stored_weights(self) -> None:
        return None

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        return x.repeat(self.factor[0], axis=2).repeat(self.factor[1], axis=3)


class Louder(Upsample2d):
    """128 times that: more than a weight of 8 bits."""

    def output_interval(self, interval: Interval) -> Interval:
        return 128 * interval[0], 128 * interval[1]

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        return 128 * super().__call__(x)
