"""Convolutions and matrix products of spikes, or a few added up, by tables; exact."""

import ctypes
from ctypes import c_int64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels.build import SYNAPSES, library, loaded
from arlif.kernels.reused import Empty
from arlif.kernels.window_sums import LAYOUT, WindowSums

GROUPS = {4: 1, 2: 4}
"""Inputs whose pattern is the number of a table's row, and the highest value of each."""


def applies(linear: Conv2d, interval: Interval) -> bool:
    """Whether SpikeTables knows this map on inputs in `interval` and could be compiled here."""
    bounded = linear.magnitude(interval) < 1 << 31
    known = group_of(linear, interval) is not None
    return known and bounded and linear.groups == 1 and library() is not None


def group_of(linear: Conv2d, interval: Interval) -> int | None:
    """How many inputs in `interval` are one pattern, None where they are none."""
    channels, (low, high) = linear.weight.shape[1], interval
    fitting = (n for n, most in GROUPS.items() if high <= most and channels % n == 0)
    return next(fitting, None) if low >= 0 else None


class SpikeTables(WindowSums):
    """Sums of the rows that inputs choose, where `applies(linear, interval)`.

    A table holds what each pattern of four spikes, or of two sums of up to four, adds to the sums.
    It is made anew for up to 2048 pixels, so it takes more of them than byte products do to be
    worth it.
    """

    def __init__(self, linear: Conv2d, interval: Interval, empty: Empty = np.empty) -> None:
        width, widest = (c_int64 * 2).in_dll(_library(), "arlif_tables_form")
        group = group_of(linear, interval)
        assert group is not None, "callers ask `applies` first"
        super().__init__(linear, interval, group, width, widest, {2}, empty)

    def packed(self, vectors: NDArray[np.int8]) -> NDArray[np.int8]:
        """See WindowSums."""
        return vectors.transpose(2, 3, 0, 1)

    def kernel(self) -> Any:
        """See WindowSums."""
        found = _library()
        return found.arlif_tables_of_fours if self.step == 4 else found.arlif_tables_of_pairs


def _library() -> ctypes.CDLL:
    return loaded(SYNAPSES, "arlif_tables_layout", *LAYOUT)
