"""Convolutions and matrix products of bytes with weights of 8 bits, exact in every sum."""

import ctypes
from ctypes import Structure, c_int64, c_void_p
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arlif.base.cut import cut
from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.byte_frames import check_sums, output_shape

NARROW, WIDE, ADDED = range(3)
"""Kind of byte_products.cpp."""
HIGHEST = 127
"""The largest input: two products of it with weights of 8 bits fit 16 bits."""


def applies(linear: Conv2d, interval: Interval) -> bool:
    """Whether ByteProducts knows this map on inputs in `interval` and could be compiled here."""
    low, high = interval
    bounded = low >= 0 and high <= HIGHEST and linear.magnitude(interval) < 1 << 31
    return bounded and linear.groups == 1 and library() is not None


class ByteProducts:
    """The sums of a convolution on bytes in `interval`, where `applies(linear, interval)`."""

    def __init__(self, linear: Conv2d, interval: Interval) -> None:
        self.linear, self.form = linear, _form()
        outputs, channels, height, width = linear.weight.shape
        rows = linear.weight.transpose(0, 2, 3, 1).reshape(outputs, height * width, channels)
        if linear.dilation[1] == 1:  # a window's row lies side by side
            rows = rows.reshape(outputs, height, width * channels)
        steps = -(-rows.shape[2] // self.form.step)
        filled = np.pad(rows, ((0, 0), (0, 0), (0, steps * self.form.step - rows.shape[2])))
        self.taps = filled.reshape(outputs, rows.shape[1], steps, self.form.step)
        self.run = rows.shape[2]
        low, high = linear.output_interval((0, interval[1]))
        self.type = np.int16 if low >= -(1 << 15) and high < 1 << 15 else np.int32
        self.full = self._full(interval[1])
        self.weights = self._packed()

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[Any]:
        """[N, H, W, C] -> [N, H', W', C'], channels last: int16 where every sum fits, else int32.

        Raises ArlifError where inputs do not fit.
        """
        sums = np.empty(output_shape(self.linear, inputs), self.type)
        self._run(inputs, threads, NARROW if self.type is np.int16 else WIDE, 1, sums)
        return sums

    def add(
        self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[np.int32], scale: int
    ) -> None:
        """Add `scale` times the sums of inputs to contiguous sums [N, H', W', C'].

        Raises ArlifError where they do not fit.
        """
        check_sums(self.linear, inputs, sums)
        self._run(inputs, threads, ADDED, scale, sums)

    def _run(
        self,
        inputs: NDArray[np.uint8],
        threads: int,
        kind: int,
        scale: int,
        sums: NDArray[Any],
    ) -> None:
        inputs = np.ascontiguousarray(inputs)
        frames, height, width, channels = inputs.shape
        _, rows, columns, outputs = sums.shape
        pieces = self._pieces(width)
        geometry = _Geometry(frames, channels, height, width, rows, columns, outputs, len(pieces))
        geometry.stride[:], geometry.padding[:] = self.linear.stride, self.linear.padding
        geometry.kind, geometry.scale = kind, scale
        _library().arlif_products(
            ctypes.byref(geometry),
            ctypes.byref(pieces),
            c_int64(threads),
            c_void_p(inputs.ctypes.data),
            c_void_p(self.weights.ctypes.data),
            c_void_p(sums.ctypes.data),
        )

    def _full(self, highest: int) -> list[int]:
        """Steps after which some sum of 16 bits could leave its type; none where sums have 32."""
        if self.form.sum_bytes > 2 or self.type is np.int16:
            return []
        steps = self.taps.reshape(len(self.taps), -1, self.form.step).astype(np.int64) * highest
        ups, downs = steps.clip(0).sum(2), -steps.clip(None, 0).sum(2)
        full, up, down = [], 0, 0
        for index in range(steps.shape[1]):
            up, down = up + ups[:, index], down + downs[:, index]
            if max(np.max(up), np.max(down)) >= 1 << 15:
                full.append(index)
                up, down = ups[:, index], downs[:, index]
        return full

    def _packed(self) -> NDArray[np.int8]:
        """Weights for blocks of outputs, as the C++ reads them."""
        step, width, widest, _ = self.form
        steps = self.taps.reshape(len(self.taps), -1, step)
        steps = np.pad(steps, ((0, -len(steps) % width), (0, 0), (0, 0)))
        vectors = steps.reshape(-1, width, *steps.shape[1:])
        blocks = [vectors[part].transpose(2, 0, 1, 3) for part in cut(len(vectors), widest)]
        return np.concatenate([block.ravel() for block in blocks])

    def _pieces(self, width: int) -> Any:
        """The inputs of a window in frames of that width, in the order of the weights."""
        (_, padding), (down, right) = self.linear.padding, self.linear.dilation
        channels, kernel = self.linear.weight.shape[1], self.linear.weight.shape[3]
        line, found, runs = (width + 2 * padding) * channels, [], self.taps.shape[1]
        joined = right == 1
        for run in range(runs):
            y, x = (run, 0) if joined else divmod(run, kernel)
            start, whole = y * down * line + x * right * channels, self.run // self.form.step
            first, last = run * self.taps.shape[2], (run + 1) * self.taps.shape[2]
            cuts = [first, *(at for at in self.full if first < at < last), last]
            for begin, end in pairwise(cuts):
                steps = min(end - first, whole) - (begin - first)
                rest = self.run % self.form.step if end - first > whole else 0
                offset = start + (begin - first) * self.form.step
                found.append(_Piece(offset, steps, rest, end in self.full))
        return (_Piece * len(found))(*found)


class _Form(NamedTuple):
    """arlif_products_form of byte_products.cpp: how weights lie, by the CPU's instructions."""

    step: int
    width: int
    widest: int
    sum_bytes: int


def _form() -> _Form:
    return _Form(*(c_int64 * 4).in_dll(_library(), "arlif_products_form"))


def _library() -> ctypes.CDLL:
    sizes = map(ctypes.sizeof, (_Geometry, _Piece))
    return loaded(SYNAPSES, "arlif_products_layout", *sizes)


class _Geometry(Structure):
    """Geometry of byte_products.cpp."""

    _fields_ = (
        *(
            (name, c_int64)
            for name in (
                *("frames", "channels", "height", "width"),
                *("rows", "columns", "outputs", "pieces"),
            )
        ),
        *((name, c_int64 * 2) for name in ("stride", "padding")),
        *((name, c_int64) for name in ("kind", "scale")),
    )


class _Piece(Structure):
    """Piece of byte_products.cpp."""

    _fields_ = tuple((name, c_int64) for name in ("offset", "steps", "rest", "fills"))
