"""What kernels of convolutions take and give: bytes and sums, channels last."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.maps import Conv2d

NARROW, WIDE, ADDED = range(3)
"""Kind of sum_kinds.h."""
KINDS: dict[type, int] = {np.int16: NARROW, np.int32: WIDE}
"""The kind of new sums, by their type."""


def sum_type(linear: Conv2d, highest: int) -> type[np.int16] | type[np.int32]:
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


def check_sums(linear: Conv2d, inputs: NDArray[Any], sums: NDArray[Any]) -> None:
    """Refuse what the sums of a convolution cannot be added to. Raises ArlifError."""
    shape = output_shape(linear, inputs)
    require(
        sums.shape == shape and sums.dtype == np.int32 and sums.flags.c_contiguous,
        f"sums are added to contiguous int32 {shape}, not {sums.dtype} {sums.shape}",
    )
