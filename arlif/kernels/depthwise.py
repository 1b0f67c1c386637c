"""Convolutions of each channel by itself on bytes: shortcuts, and depthwise layers; exact."""

import ctypes
from collections.abc import Callable
from ctypes import Structure, c_int64

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.byte_frames import ADDED, ByteSums, Into
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
    """The sums of a convolution of each channel by itself, where `applies(linear, interval)`."""

    def __init__(self, linear: Conv2d, empty: Empty = np.empty) -> None:
        self.linear, self.type, self.empty = linear, np.int32, empty
        self.weights = np.ascontiguousarray(linear.weight[:, 0].transpose(1, 2, 0))

    def call(self, inputs: NDArray[np.uint8], threads: int, into: Into) -> Callable[[], None]:
        """See ByteSums."""
        frames, height, width, channels = inputs.shape
        geometry = _Geometry(frames, channels, height, width, *into.sums.shape[1:3])
        geometry.kernel[:] = self.linear.weight.shape[2:]
        geometry.stride[:], geometry.padding[:] = self.linear.stride, self.linear.padding
        geometry.dilation[:], geometry.scale = self.linear.dilation, into.scale
        found = loaded(SYNAPSES, "arlif_depthwise_layout", ctypes.sizeof(_Geometry))
        add = Call(found.arlif_depthwise, geometry, threads, inputs, self.weights, into.sums)
        if into.kind == ADDED:
            return add

        def write() -> None:  # the kernel only adds
            into.sums.fill(0)
            add()

        return write


class _Geometry(Structure):
    """Geometry of depthwise.cpp."""

    _fields_ = (
        *((name, c_int64) for name in ("frames", "channels", "height", "width", "rows", "columns")),
        *((name, c_int64 * 2) for name in ("kernel", "stride", "padding", "dilation")),
        ("scale", c_int64),
    )
