"""Convolutions and matrix products driven by events, exact; fast where few inputs are not 0."""

import ctypes
from ctypes import Structure, c_int64, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.cut import cut
from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.byte_frames import ByteSums, giving, sum_type
from arlif.kernels.call import Call
from arlif.kernels.reused import Empty

GROUP, WIDEST = 32, 128
"""`group` and `widest` of events.cpp."""


def applies(linear: Conv2d) -> bool:
    """Whether EventConvolution knows this map and could be compiled here."""
    return linear.groups == 1 and linear.dilation == (1, 1) and library() is not None


class EventConvolution(ByteSums):
    """Sums of the weights that events reach, where `applies(linear)`, of inputs in `interval`.

    An input of value v is v events. New sums are int16 where every sum fits, else int32.
    """

    def __init__(self, linear: Conv2d, interval: Interval, empty: Empty = np.empty) -> None:
        self.linear, self.empty = linear, empty
        self.type = sum_type(linear, interval[1])
        outputs = linear.weight.shape[0]
        taps = np.moveaxis(linear.weight, 0, -1).transpose(1, 2, 0, 3).reshape(-1, outputs)
        blocks = [taps[:, part] for part in cut(outputs, WIDEST)]
        padded = [np.pad(b, ((0, 0), (0, -b.shape[1] % GROUP))).ravel() for b in blocks]
        self.weights = np.concatenate(padded)

    def call(
        self,
        inputs: NDArray[np.uint8],
        threads: int,
        sums: NDArray[Any],
        scale: int | None = None,
    ) -> Call:
        """See ByteSums."""
        frames, height, width, channels = inputs.shape
        _, rows, columns, outputs = sums.shape
        geometry = _Geometry(frames, channels, height, width, rows, columns, outputs)
        geometry.kernel[:] = self.linear.weight.shape[2:]
        geometry.stride[:], geometry.padding[:] = self.linear.stride, self.linear.padding
        geometry.kind, geometry.adds, geometry.scale = giving(sums, scale)
        run = _library().arlif_event_convolution
        return Call(run, geometry, threads, inputs, self.weights, sums)


def count(inputs: NDArray[np.uint8]) -> int:
    """How many events contiguous inputs are."""
    counts = _library().arlif_event_count
    counts.restype = c_int64
    return int(counts(c_void_p(inputs.ctypes.data), c_int64(inputs.size)))


def _library() -> ctypes.CDLL:
    return loaded(SYNAPSES, "arlif_event_layout", ctypes.sizeof(_Geometry), GROUP, WIDEST)


class _Geometry(Structure):
    """Geometry of events.cpp."""

    _fields_ = (
        *(
            (name, c_int64)
            for name in ("frames", "channels", "height", "width", "rows", "columns", "outputs")
        ),
        *((name, c_int64 * 2) for name in ("kernel", "stride", "padding")),
        *((name, c_int64) for name in ("kind", "adds", "scale")),
    )
