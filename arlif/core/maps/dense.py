"""Dense maps: a matrix over all features. Every linear map is one on a given shape."""

from dataclasses import dataclass
from math import prod
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.equality import ArrayEquality
from arlif.core.maps.bounds import Shape
from arlif.core.maps.int8_weights import Weighted, int8_weights
from arlif.core.maps.linear_map import LinearMap

LARGEST = 1 << 28
"""Entries of a matrix that `as_dense` makes: 2 GiB while it is made."""


@final
@dataclass(frozen=True, eq=False)
class Dense(ArrayEquality, Weighted):
    """y = W x over all features, C order. weight: int8 [outputs, inputs]."""

    weight: NDArray[np.int8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", int8_weights(self.weight, 2, "dense"))

    def output_shape(self, shape: Shape) -> Shape:
        features = int(np.prod(shape))
        require(
            features == self.weight.shape[1],
            f"a dense map of {self.weight.shape[1]} inputs cannot take shape {shape} "
            f"({features} features)",
            NetworkError,
        )
        return (self.weight.shape[0],)

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        batch = x.reshape(-1, self.weight.shape[1])
        return batch @ self.weight.T.astype(x.dtype)

    def fan_in(self, shape: Shape) -> int:
        return self.weight.shape[1]

    def spread(self, reached: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
        return np.full(shape, reached.sum())

    def reads(self, block: Shape, shape: Shape) -> Shape:
        return shape


def as_dense(linear: LinearMap, shape: Shape) -> Dense:
    """The same map on inputs of `shape` as a matrix; its outputs are flat.

    Raises NetworkError where a weight leaves [-127, 127] or the matrix is too large.
    """
    if isinstance(linear, Dense):
        return linear
    name = type(linear).__name__
    outputs = prod(linear.output_shape(shape))
    require(
        outputs * prod(shape) <= LARGEST,
        f"a {name} on inputs of shape {shape} is a matrix of {outputs} x {prod(shape)} weights, "
        f"past {LARGEST}; use smaller frames, or let the class answer `convolution`",
        NetworkError,
    )
    taps = linear.taps(shape)
    reach = int(np.abs(taps.weights).max(initial=0))
    require(
        reach <= 127,
        f"weights have 8 bits, at most 127; a {name} on inputs of shape {shape} is a matrix whose "
        f"weights reach {reach}: give it smaller ones and the projection a shift",
        NetworkError,
    )
    return Dense(taps.dense().astype(np.int8))
