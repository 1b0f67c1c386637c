"""A kind of map that arlif does not have: weights along the last axis, as if it were a ring."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.equality import ArrayEquality
from arlif.core.maps import Interval, LinearMap, Shape
from arlif.core.maps.int8_weights import int8_weights, weighted_interval


@dataclass(frozen=True, eq=False)
class Ring(ArrayEquality, LinearMap):
    """y[i] = sum over k of weight[k] x[(i + k) mod n], along the last axis of size n.

    weight: int8 [K], at most as long as the axis.
    """

    weight: NDArray[np.int8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int8_weights(self.weight, 1, "ring"))

    def output_shape(self, shape: Shape) -> Shape:
        require(
            shape[-1] >= len(self.weight),
            f"a ring of {len(self.weight)} weights needs an axis as long, not {shape[-1]}",
            NetworkError,
        )
        return shape

    def output_interval(self, interval: Interval) -> Interval:
        return weighted_interval(self.weight[None], interval)

    def stored_weights(self) -> NDArray[np.int8]:
        return self.weight[None]

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        y = np.zeros_like(x)
        for k, weight in enumerate(self.weight.tolist()):
            y += weight * np.roll(x, -k, axis=-1)
        return y
