"""What kernels of convolutions take and give: bytes and sums, channels last."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.maps import Conv2d
from arlif.kernels.reused import Empty


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


def check_sums(linear: Conv2d, inputs: NDArray[Any], sums: NDArray[Any]) -> None:
    """Refuse what the sums of a convolution cannot be added to. Raises ArlifError."""
    shape = output_shape(linear, inputs)
    require(
        sums.shape == shape and sums.dtype == np.int32 and sums.flags.c_contiguous,
        f"sums are added to contiguous int32 {shape}, not {sums.dtype} {sums.shape}",
    )


class AddedSums(ABC):
    """A kernel that only adds to sums: new ones are added to zeros."""

    linear: Conv2d
    empty: Empty

    @abstractmethod
    def add(
        self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[np.int32], scale: int
    ) -> None:
        """Add `scale` times the sums of inputs to contiguous sums [N, H', W', C'].

        Raises ArlifError where they do not fit.
        """

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[np.int32]:
        """[N, H, W, C] -> [N, H', W', C'], channels last, on that many threads."""
        sums = self.empty(output_shape(self.linear, inputs), np.int32)
        sums.fill(0)
        self.add(inputs, threads, sums, 1)
        return sums
