"""What maps with 8-bit weights share: the check of the weights, and what their sums can reach."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.equality import frozen_array
from arlif.core.maps.bounds import Interval
from arlif.core.maps.linear_map import LinearMap


def int8_weights(values: Any, dimensions: int, what: str) -> NDArray[np.int8]:
    """A frozen int8 copy. Raises NetworkError outside [-127, 127] or in other dimensions."""
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


def weighted_interval(weight: NDArray[np.int8], interval: Interval) -> Interval:
    """The tightest interval of sums over any row of `weight` [outputs, ...]."""
    rows = weight.reshape(len(weight), -1).astype(np.int64)
    negative = np.minimum(rows, 0).sum(1)
    positive = np.maximum(rows, 0).sum(1)
    low, high = interval
    lowest, highest = positive * low + negative * high, positive * high + negative * low
    return int(lowest.min()), int(highest.max())


class Weighted(LinearMap):
    """A map that has a row of 8-bit weights for every output channel: weight [outputs, ...]."""

    weight: NDArray[np.int8]

    def output_interval(self, interval: Interval) -> Interval:
        return weighted_interval(self.weight, interval)

    def magnitude(self, interval: Interval) -> int:
        """The largest sum of |weight| |input| over any row."""
        rows = np.abs(self.weight.reshape(len(self.weight), -1).astype(np.int64))
        return int(rows.sum(1).max()) * max(-interval[0], interval[1])

    def stored_weights(self) -> NDArray[np.int8]:
        return self.weight
