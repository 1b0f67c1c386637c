"""Lookup tables: how tanh and sigmoid become integers, sampled once and never recomputed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.equality import ArrayEquality, frozen_array
from arlif.core.formats import FixedPointFormat, nearest_integer


@dataclass(frozen=True, eq=False)
class LookupTable(ArrayEquality):
    """A sampled function: values[(clip(x, low, high) - low) >> shift].

    values: int32 [entries], entries a power of two from 16 to 1024.
    low: raw input of the first cell; high = low + (entries << shift) - 1 is the last.
    shift: log2 of the cell width in raw input steps.
    Raises ArlifError on another size, and where a cell lies outside [-2**30, 2**30): every input
    lies within a format of at most 30 bits, and its distance from `low` then fits 32.
    """

    values: NDArray[np.int32]
    low: int
    shift: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen_array(self.values, np.int32))
        require(self.values.ndim == 1, f"a table has one dimension, not shape {self.values.shape}")
        require_entries(self.values.size)
        require(0 <= self.shift <= 24, f"a table's shift must be 0 to 24, not {self.shift}")
        require(
            self.low >= -(1 << 30) and self.high < 1 << 30,
            f"a table lies within [-2**30, 2**30), not {self.low} to {self.high}; choose a "
            "narrower domain or fewer fractional bits",
        )

    @property
    def high(self) -> int:
        """The last raw input inside the table; inputs beyond it read the last cell."""
        return self.low + (self.values.size << self.shift) - 1


def require_entries(entries: int) -> None:
    """Raise ArlifError where no table has so many entries."""
    require(
        16 <= entries <= 1024 and entries & (entries - 1) == 0,
        f"tables have 16 to 1024 entries, a power of two, not {entries}; 256 is the presets'",
    )


@dataclass(frozen=True)
class TableDomain:
    """Where a table is sampled: `entries` equal cells over [low, high) in real units."""

    entries: int = 256
    low: float = -8.0
    high: float = 8.0

    def __post_init__(self) -> None:
        require_entries(self.entries)
        require(
            -math.inf < self.low < self.high < math.inf,
            f"a table's domain goes from a number to a larger one, not {self.low} to {self.high}",
        )

    def sample(
        self,
        function: Callable[[NDArray[np.float64]], Any],
        input_format: FixedPointFormat,
        output_one: int,
    ) -> LookupTable:
        """Sample `function` at cell centres; outputs are raw values where 1.0 is `output_one`.

        The centre of a cell is the mean of the raw inputs that fall into it, so a table with one
        raw input per cell is exact. Raises ArlifError where the cells are not a power of two wide.
        """
        width = (self.high - self.low) * input_format.one / self.entries
        shift = int(math.log2(width)) if width >= 1 else -1
        low = round(self.low * input_format.one)
        require(
            shift >= 0 and width == 1 << shift and low == self.low * input_format.one,
            f"table cells must be 2**n raw steps wide, n >= 0: {self.entries} entries over "
            f"[{self.low}, {self.high}) with {input_format.frac_bits} fractional bits gives "
            f"{width}; choose a power-of-two domain, fewer entries or more fractional bits",
        )
        centres = low + (np.arange(self.entries) << shift) + ((1 << shift) - 1) / 2
        samples = np.asarray(function(centres / input_format.one), np.float64)
        int32 = np.iinfo(np.int32)
        return LookupTable(nearest_integer(samples * output_one, int32.min, int32.max), low, shift)
