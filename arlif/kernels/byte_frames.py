"""What kernels of convolutions take and give: bytes and sums, channels last."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.maps import Conv2d
from arlif.kernels.call import Bound
from arlif.kernels.reused import Empty

SumType = type[np.int16] | type[np.int32]
KINDS = [np.dtype(kind) for kind in (np.int16, np.int32)]
"""Kind of sum_kinds.h."""


def giving(sums: NDArray[Any], scale: int | None) -> tuple[int, bool, int]:
    """kind, adds and scale of sum_kinds.h; scale: None for new sums."""
    return KINDS.index(sums.dtype), scale is not None, 1 if scale is None else scale


def sum_type(linear: Conv2d, highest: int) -> SumType:
    """The type that holds every sum of inputs from 0 to `highest`, also of some of a window's."""
    low, high = linear.output_interval((0, highest))
    return np.int16 if low >= -(1 << 15) and high < 1 << 15 else np.int32


def output_shape(linear: Conv2d, inputs: NDArray[Any]) -> tuple[int, ...]:
    """The shape of a convolution's sums on inputs uint8 [N, H, W, C]: [N, H', W', C'].

    Raises ArlifError where inputs do not fit.
    """
    channels = linear.weight.shape[1] * linear.groups
    require(
        inputs.ndim == 4 and inputs.shape[3] == channels and inputs.dtype == np.uint8,
        f"convolutions of bytes take uint8 [N, H, W, {channels}], not "
        f"{inputs.dtype} {inputs.shape}",
    )
    outputs, rows, columns = linear.output_shape((channels, *inputs.shape[1:3]))
    return len(inputs), rows, columns, outputs


class ByteSums(ABC):
    """A kernel that gives the sums of a convolution on bytes, of that type, or puts or adds them.

    empty: makes the arrays of new sums.
    Where sums are added, callers know that their type holds them in the end.
    """

    linear: Conv2d
    type: SumType
    empty: Empty

    @abstractmethod
    def call(
        self,
        inputs: NDArray[np.uint8],
        threads: int,
        sums: NDArray[Any],
        scale: int | None = None,
    ) -> Callable[[], None]:
        """What writes new sums; with a scale: adds that many times each.

        Both are contiguous and have shapes that fit. sums: of `type`, or int32.
        """

    def shape_of(self, inputs: NDArray[np.uint8]) -> tuple[int, ...]:
        """See output_shape."""
        return output_shape(self.linear, inputs)

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[Any]:
        """[N, H, W, C] -> [N, H', W', C'], channels last, on that many threads.

        Raises ArlifError where inputs do not fit.
        """
        inputs = np.ascontiguousarray(inputs)
        call, sums = self.bind(inputs, threads)
        call()
        return sums

    def bind(self, inputs: NDArray[np.uint8], threads: int) -> Bound:
        """New sums of contiguous inputs, and what writes them. Raises ArlifError on a misfit."""
        sums = self.empty(self.shape_of(inputs), self.type)
        return self.call(inputs, threads, sums), sums

    def put(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any]) -> None:
        """Write the sums of inputs to contiguous sums [N, H', W', C'], whatever was there.

        Raises ArlifError where they do not fit.
        """
        self._into(inputs, threads, sums, None)

    def add(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any], scale: int) -> None:
        """Add `scale` times the sums of inputs to contiguous sums [N, H', W', C'].

        Raises ArlifError where they do not fit.
        """
        self._into(inputs, threads, sums, scale)

    def _into(
        self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any], scale: int | None
    ) -> None:
        shape = output_shape(self.linear, inputs)
        known = {np.dtype(self.type), np.dtype(np.int32)}
        require(
            sums.shape == shape and sums.dtype in known and sums.flags.c_contiguous,
            f"sums go to contiguous {' or '.join(sorted(map(str, known)))} {shape}, not "
            f"{sums.dtype} {sums.shape}",
        )
        self.call(np.ascontiguousarray(inputs), threads, sums, scale)()
