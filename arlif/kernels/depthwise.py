"""Convolutions of each channel by itself on bytes: shortcuts, and depthwise layers; exact."""

import ctypes
from ctypes import Structure, c_int64, c_void_p

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.byte_frames import check_sums, output_shape
from arlif.kernels.reused import Empty


def applies(linear: Conv2d, interval: Interval) -> bool:
    """Whether Depthwise knows this map on inputs in `interval` and could be compiled here."""
    outputs, of_group = linear.weight.shape[:2]
    alone = of_group == 1 and linear.groups == outputs
    low, high = interval
    bounded = low >= 0 and high <= 255 and linear.magnitude(interval) < 1 << 31
    return alone and bounded and library() is not None


class Depthwise:
    """The sums of a convolution of each channel by itself, where `applies(linear, interval)`."""

    def __init__(self, linear: Conv2d, empty: Empty = np.empty) -> None:
        self.linear, self.empty = linear, empty
        self.weights = np.ascontiguousarray(linear.weight[:, 0].transpose(1, 2, 0))

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[np.int32]:
        """[N, H, W, C] -> [N, H', W', C], channels last, on that many threads.

        Raises ArlifError where inputs do not fit.
        """
        sums = self.empty(output_shape(self.linear, inputs), np.int32)
        self.put(inputs, threads, sums)
        return sums

    def put(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[np.int32]) -> None:
        """Write the sums of inputs to contiguous sums [N, H', W', C], whatever was there.

        Raises ArlifError where they do not fit.
        """
        check_sums(self.linear, inputs, sums)
        sums.fill(0)
        self.add(inputs, threads, sums, 1)

    def add(
        self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[np.int32], scale: int
    ) -> None:
        """Add `scale` times the sums of inputs to contiguous sums [N, H', W', C].

        Raises ArlifError where they do not fit.
        """
        check_sums(self.linear, inputs, sums)
        inputs = np.ascontiguousarray(inputs)
        frames, height, width, channels = inputs.shape
        geometry = _Geometry(frames, channels, height, width, *sums.shape[1:3])
        geometry.kernel[:] = self.linear.weight.shape[2:]
        geometry.stride[:], geometry.padding[:] = self.linear.stride, self.linear.padding
        geometry.dilation[:], geometry.scale = self.linear.dilation, scale
        loaded(SYNAPSES, "arlif_depthwise_layout", ctypes.sizeof(_Geometry)).arlif_depthwise(
            ctypes.byref(geometry),
            c_int64(threads),
            c_void_p(inputs.ctypes.data),
            c_void_p(self.weights.ctypes.data),
            c_void_p(sums.ctypes.data),
        )


class _Geometry(Structure):
    """Geometry of depthwise.cpp."""

    _fields_ = (
        *((name, c_int64) for name in ("frames", "channels", "height", "width", "rows", "columns")),
        *((name, c_int64 * 2) for name in ("kernel", "stride", "padding", "dilation")),
        ("scale", c_int64),
    )
