"""Convolutions and matrix products of bytes with weights of 8 bits, exact in every sum."""

import ctypes
from ctypes import c_int64
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.reused import Empty
from arlif.kernels.window_sums import LAYOUT, WindowSums

HIGHEST = 127
"""The largest input: two products of it with weights of 8 bits fit 16 bits."""


def applies(linear: Conv2d, interval: Interval) -> bool:
    """Whether ByteProducts knows this map on inputs in `interval` and could be compiled here."""
    low, high = interval
    bounded = low >= 0 and high <= HIGHEST and linear.magnitude(interval) < 1 << 31
    return bounded and linear.groups == 1 and library() is not None


def in_32_bits() -> bool:
    """Whether this CPU sums products of bytes in 32 bits by one instruction (VNNI)."""
    return _form().least_bytes == 4


class ByteProducts(WindowSums):
    """Sums of products, where `applies(linear, interval)`."""

    def __init__(self, linear: Conv2d, interval: Interval, empty: Empty = np.empty) -> None:
        form = _form()
        sums = {form.least_bytes, form.most_bytes}
        super().__init__(linear, interval, form.step, form.width, form.widest, sums, empty)

    def packed(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """See WindowSums."""
        return vectors.transpose(2, 0, 1, 3)

    def kernel(self) -> Any:
        """See WindowSums."""
        return _library().arlif_products


class _Form(NamedTuple):
    """arlif_products_form of byte_products.cpp: how weights lie, by the CPU's instructions."""

    step: int
    width: int
    widest: int
    least_bytes: int
    most_bytes: int


def _form() -> _Form:
    return _Form(*(c_int64 * 5).in_dll(_library(), "arlif_products_form"))


def _library() -> ctypes.CDLL:
    return loaded(SYNAPSES, "arlif_products_layout", *LAYOUT)
