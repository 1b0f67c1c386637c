"""Window sums of bytes, channels last."""

import ctypes
from ctypes import Structure, c_int64

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError
from arlif.core.maps import SumPool2d
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.call import Bound, Call
from arlif.kernels.reused import Empty


def applies() -> bool:
    """Whether `pool` could be compiled here."""
    return library() is not None


def pool(
    linear: SumPool2d, inputs: NDArray[np.uint8], threads: int, empty: Empty = np.empty
) -> NDArray[np.uint8]:
    """[N, H, W, C] -> [N, H', W', C], where no sum exceeds 255, on that many threads.

    Raises ArlifError where inputs do not fit.
    """
    call, sums = bind(linear, np.ascontiguousarray(inputs), threads, empty)
    call()
    return sums


def bind(
    linear: SumPool2d, inputs: NDArray[np.uint8], threads: int, empty: Empty = np.empty
) -> Bound:
    """New sums of contiguous inputs, and what writes them. See `pool`."""
    if inputs.ndim != 4 or inputs.dtype != np.uint8:  # the text is made where it is needed
        raise ArlifError(f"pools take uint8 [N, H, W, C], not {inputs.dtype} {inputs.shape}")
    frames, height, width, channels = inputs.shape
    rows, columns = linear.output_shape((channels, height, width))[1:]
    sums = empty((frames, rows, columns, channels), np.uint8)
    geometry = _Pool(frames, channels, height, width, rows, columns)
    geometry.kernel[:], geometry.stride[:] = linear.kernel, linear.stride
    geometry.padding[:] = linear.padding
    found = loaded(SYNAPSES, "arlif_pool_layout", ctypes.sizeof(_Pool))
    return Call(found.arlif_pool, geometry, threads, inputs, sums), sums


class _Pool(Structure):
    """Pool of pools.cpp."""

    _fields_ = (
        *((name, c_int64) for name in ("frames", "channels", "height", "width", "rows", "columns")),
        *((name, c_int64 * 2) for name in ("kernel", "stride", "padding")),
    )
