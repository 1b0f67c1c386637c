"""Convolutions of each channel by itself on bytes: shortcuts, and depthwise layers; exact."""

import ctypes
from ctypes import Structure, c_int64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.byte_frames import ByteSums, giving, sum_type
from arlif.kernels.call import Call
from arlif.kernels.reused import Empty


def applies(linear: Conv2d, interval: Interval) -> bool:
    """Whether Depthwise knows this map on inputs in `interval` and could be compiled here."""
    outputs, of_group = linear.weight.shape[:2]
    alone = of_group == 1 and linear.groups == outputs
    low, high = interval
    bounded = low >= 0 and high <= 255 and linear.magnitude(interval) < 1 << 31
    return alone and bounded and library() is not None


class Depthwise(ByteSums):
    """The sums of a convolution of each channel by itself, where `applies(linear, interval)`.

    New sums are int16 where every sum fits, else int32.
    """

    def __init__(self, linear: Conv2d, interval: Interval, empty: Empty = np.empty) -> None:
        self.linear, self.type, self.empty = linear, sum_type(linear, interval[1]), empty
        self.weights = np.ascontiguousarray(linear.weight[:, 0].transpose(1, 2, 0))

    def call(
        self,
        inputs: NDArray[np.uint8],
        threads: int,
        sums: NDArray[Any],
        scale: int | None = None,
    ) -> Call:
        """See ByteSums."""
        frames, height, width, channels = inputs.shape
        geometry = _Geometry(frames, channels, height, width, *sums.shape[1:3])
        geometry.kernel[:] = self.linear.weight.shape[2:]
        geometry.stride[:], geometry.padding[:] = self.linear.stride, self.linear.padding
        geometry.dilation[:] = self.linear.dilation
        geometry.kind, geometry.adds, geometry.scale = giving(sums, scale)
        found = loaded(SYNAPSES, "arlif_depthwise_layout", ctypes.sizeof(_Geometry))
        return Call(found.arlif_depthwise, geometry, threads, inputs, self.weights, sums)


class _Geometry(Structure):
    """Geometry of depthwise.cpp."""

    _fields_ = (
        *((name, c_int64) for name in ("frames", "channels", "height", "width", "rows", "columns")),
        *((name, c_int64 * 2) for name in ("kernel", "stride", "padding", "dilation")),
        *((name, c_int64) for name in ("kind", "adds", "scale")),
    )
