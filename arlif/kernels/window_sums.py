"""What kernels share that read a window's bytes in the order of their weights of 8 bits."""

import ctypes
from abc import abstractmethod
from collections.abc import Container
from ctypes import Structure, c_int64
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arlif.base.cut import cut
from arlif.core.maps import Conv2d, Interval
from arlif.kernels.byte_frames import ByteSums, giving, output_shape, sum_type
from arlif.kernels.call import Call
from arlif.kernels.reused import Empty

SELDOM = 8
"""Steps between two times of putting sums away, from which on that costs less than 32 bits do."""


class WindowSums(ByteSums):
    """The sums of a convolution on bytes in `interval`, `step` inputs at a time; exact.

    width, widest: outputs of a vector, and vectors of a block. sums: the bytes in which the kernel
    can add up, 2 where it must be told when to put sums away, 4 where it need not. New sums are
    int16 where every sum fits, else int32.
    """

    def __init__(
        self,
        linear: Conv2d,
        interval: Interval,
        step: int,
        width: int,
        widest: int,
        sums: Container[int],
        empty: Empty,
    ) -> None:
        self.linear, self.step, self.empty = linear, step, empty
        outputs, channels, height, right = linear.weight.shape
        rows = linear.weight.transpose(0, 2, 3, 1).reshape(outputs, height * right, channels)
        if linear.dilation[1] == 1:  # a window's row lies side by side
            rows = rows.reshape(outputs, height, right * channels)
        self.runs, self.whole = rows.shape[1], -(-rows.shape[2] // step)
        self.beyond = self.whole * step - rows.shape[2]
        filled = np.pad(rows, ((0, 0), (0, 0), (0, self.beyond)))
        steps = filled.reshape(outputs, -1, step)
        self.type = sum_type(linear, interval[1])
        narrow = self.type is np.int16 or 2 not in sums
        self.full = [] if narrow else _full(steps, interval[1])
        self.longs = 4 in sums and (2 not in sums or len(self.full) * SELDOM > steps.shape[1])
        if self.longs:
            self.full.clear()
        steps = np.pad(steps, ((0, -outputs % width), (0, 0), (0, 0)))
        vectors = steps.reshape(-1, width, *steps.shape[1:])
        blocks = [self.packed(vectors[part]) for part in cut(len(vectors), widest)]
        self.weights = np.concatenate([block.ravel() for block in blocks])
        self.known: dict[tuple[int, ...], _Frames] = {}

    @abstractmethod
    def packed(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """The weights of a block, [vectors, width, steps, step], in the order of the kernel."""

    @abstractmethod
    def kernel(self) -> Any:
        """The kernel, a function of C."""

    def call(
        self,
        inputs: NDArray[np.uint8],
        threads: int,
        sums: NDArray[Any],
        scale: int | None = None,
    ) -> Call:
        """See ByteSums."""
        known = self.frames_of(inputs)
        geometry = Geometry.from_buffer_copy(known.geometry)  # as threads may share this map
        geometry.frames = len(inputs)
        geometry.kind, geometry.adds, geometry.scale = giving(sums, scale)
        return Call(self.kernel(), geometry, known.pieces, threads, inputs, self.weights, sums)

    def shape_of(self, inputs: NDArray[np.uint8]) -> tuple[int, ...]:
        """See ByteSums."""
        return len(inputs), *self.frames_of(inputs).sums

    def frames_of(self, inputs: NDArray[np.uint8]) -> "_Frames":
        """What is the same for all inputs of a frame's shape. Raises ArlifError on a misfit."""
        shape = inputs.shape[1:]
        if shape not in self.known or inputs.dtype != np.uint8:
            _, rows, columns, outputs = output_shape(self.linear, inputs)
            height, width, channels = shape
            pieces = self._pieces(width)
            geometry = Geometry(0, channels, height, width, rows, columns, outputs, len(pieces))
            geometry.stride[:], geometry.padding[:] = self.linear.stride, self.linear.padding
            geometry.beyond, geometry.longs = self.beyond, self.longs
            self.known[shape] = _Frames((rows, columns, outputs), geometry, pieces)
        return self.known[shape]

    def _pieces(self, width: int) -> Any:
        """The inputs of a window in frames of that width, in the order of the weights."""
        (_, padding), (down, right) = self.linear.padding, self.linear.dilation
        channels, kernel = self.linear.weight.shape[1], self.linear.weight.shape[3]
        line, found = (width + 2 * padding) * channels, []
        for run in range(self.runs):
            y, x = (run, 0) if right == 1 else divmod(run, kernel)
            start = y * down * line + x * right * channels
            first, last = run * self.whole, (run + 1) * self.whole
            cuts = [first, *(at for at in self.full if first < at < last), last]
            for begin, end in pairwise(cuts):
                offset = start + (begin - first) * self.step
                found.append(Piece(offset, end - begin, end in self.full))
        return (Piece * len(found))(*found)


def _full(steps: NDArray[np.int8], highest: int) -> list[int]:
    """Steps [outputs, steps, step] after which some sum of 16 bits could leave its type."""
    ups = steps.clip(0).sum(2, np.int64) * highest
    downs = -steps.clip(None, 0).sum(2, np.int64) * highest
    full, up, down = [], 0, 0
    for index in range(steps.shape[1]):
        up, down = up + ups[:, index], down + downs[:, index]
        if max(np.max(up), np.max(down)) >= 1 << 15:
            full.append(index)
            up, down = ups[:, index], downs[:, index]
    return full


class Geometry(Structure):
    """Geometry of window_sums.h."""

    _fields_ = (
        *(
            (name, c_int64)
            for name in (
                *("frames", "channels", "height", "width"),
                *("rows", "columns", "outputs", "pieces"),
            )
        ),
        *((name, c_int64 * 2) for name in ("stride", "padding")),
        *((name, c_int64) for name in ("kind", "adds", "scale", "beyond", "longs")),
    )


class Piece(Structure):
    """Piece of window_sums.h."""

    _fields_ = tuple((name, c_int64) for name in ("offset", "steps", "fills"))


class _Frames(NamedTuple):
    """Frames of one shape: (rows, columns, outputs) of their sums, and what the kernel is told."""

    sums: tuple[int, int, int]
    geometry: Geometry
    pieces: Any


LAYOUT = (ctypes.sizeof(Geometry), ctypes.sizeof(Piece))
