"""Convolutions and matrix products of spikes with weights of 8 bits by tables; exact."""

import ctypes
from ctypes import c_int64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.reused import Empty
from arlif.kernels.window_sums import LAYOUT, WindowSums

FOUR = 4
"""Spikes whose pattern is the number of a table's row."""


def applies(linear: Conv2d, interval: Interval) -> bool:
    """Whether SpikeTables knows this map on inputs in `interval` and could be compiled here."""
    spikes = interval[0] >= 0 and interval[1] <= 1
    fours = linear.weight.shape[1] % FOUR == 0
    bounded = linear.magnitude((0, 1)) < 1 << 31
    return spikes and fours and bounded and linear.groups == 1 and library() is not None


class SpikeTables(WindowSums):
    """Sums of the rows that spikes choose, where `applies(linear, interval)`.

    A table holds what each pattern of four spikes adds to the sums. It is made anew for up to 512
    pixels, so it takes more of them than byte products do to be worth it.
    """

    def __init__(self, linear: Conv2d, empty: Empty = np.empty) -> None:
        width, widest = (c_int64 * 2).in_dll(_library(), "arlif_tables_form")
        super().__init__(linear, (0, 1), FOUR, width, widest, {2}, empty)

    def packed(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """See WindowSums."""
        return vectors.transpose(2, 3, 0, 1)

    def kernel(self) -> Any:
        """See WindowSums."""
        return _library().arlif_tables


def _library() -> ctypes.CDLL:
    return loaded(SYNAPSES, "arlif_tables_layout", *LAYOUT)
