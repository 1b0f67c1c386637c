"""What a linear map supplies, and what follows for it from being linear."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps.bounds import Interval, Shape, exact_float
from arlif.core.maps.taps import Taps


class LinearMap(ABC):
    """An integer linear map: a frozen dataclass that checks its fields.

    A new kind derives from this class, not from another kind, whose place it would take wherever
    that one is known by name. It answers the four abstract questions. The others have answers that
    follow from them; a kind that knows better ones, or faster ones, gives those.
    """

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the output for inputs of `shape`; raises NetworkError where they do not fit."""

    @abstractmethod
    def output_interval(self, interval: Interval) -> Interval:
        """The tightest interval of outputs for inputs in `interval`."""

    @abstractmethod
    def stored_weights(self) -> NDArray[np.int8] | None:
        """The weights that hardware keeps; None for a map that only adds.

        One row per output channel, or a single row that all of them share.
        """

    @abstractmethod
    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        """Evaluate on floating-point integers `x` [N, *shape].

        Exact while magnitude fits the mantissa, in the type of x.
        """

    def magnitude(self, interval: Interval) -> int:
        """A bound on every partial sum of |weight| |input|, in any order of summation."""
        low, high = self.output_interval((0, 1))
        return (high - low) * max(-interval[0], interval[1])

    def convolution(self, shape: Shape) -> "LinearMap | None":
        """The same map on inputs of `shape` as a Conv2d; None where it is none."""
        return None

    def fan_in(self, shape: Shape) -> int:
        """The most inputs that an output adds up, padding included."""
        return self.taps(shape).fan_in()

    def spread(self, reached: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
        """The transposed map with every weight 1: paths from each input, given those from outputs.

        reached: int64 [*output shape]. shape: the input's. Returns int64 [*shape]. Here an entry of
        the matrix that is 0 is no path.
        """
        return self.taps(shape).spread(reached)

    def reads(self, block: Shape, shape: Shape) -> Shape:
        """Sides of a box with room for what a block of outputs reads of inputs of `shape`.

        The block starts at any multiple of its own size.
        """
        return self.taps(shape).reads(block)

    def taps(self, shape: Shape) -> Taps:
        """The map's matrix on inputs of `shape`, found once. Raises NetworkError if too large."""
        if shape not in self._found:
            dtype = exact_float(self.magnitude((0, 1)))
            self._found[shape] = Taps.of(self, shape, self.output_shape(shape), dtype)
        return self._found[shape]

    @cached_property
    def _found(self) -> dict[Shape, Taps]:
        return {}
