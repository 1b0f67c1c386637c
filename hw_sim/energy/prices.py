"""Published energies of single operations in 45 nm CMOS at 0.9 V, in pJ.

Source of every number: M. Horowitz, "Computing's energy problem (and what we can do about it)",
ISSCC 2014, Fig. 1.1.9. Between two published widths or sizes we interpolate linearly: additions
over the width, multiplications over the product of the widths, memories over the size.
"""

from typing import Protocol

import numpy as np

FLOAT32_ADD = 0.9
FLOAT32_MULTIPLY = 3.7
"""Together 4.6, the multiply-accumulate of the literature; an accumulate is one addition."""

INTEGER_ADD = ((8, 0.03), (16, 0.05), (32, 0.1))
"""(bits, pJ)"""

INTEGER_MULTIPLY = ((8 * 8, 0.2), (32 * 32, 3.1))
"""(product of the operands' bits, pJ)"""

SRAM = ((8 * 1024, 10.0), (32 * 1024, 20.0), (1024 * 1024, 100.0))
"""(size in bytes, pJ per access of 64 bits)"""

SRAM_BITS = 64


class Units(Protocol):
    """Arithmetic units with a price."""

    def add(self, bits: int) -> float:
        """An addition, a comparison (a subtraction) or a selection (an upper bound), in pJ."""

    def multiply(self, bits: int, other: int) -> float:
        """A multiplication of two operands of these widths, in pJ."""


class FloatUnits:
    """32-bit floating point, whatever the width, as the literature prices spiking networks."""

    def add(self, bits: int) -> float:
        return FLOAT32_ADD

    def multiply(self, bits: int, other: int) -> float:
        return FLOAT32_MULTIPLY


class IntegerUnits:
    """Integers of the width that is needed."""

    def add(self, bits: int) -> float:
        return _through(INTEGER_ADD, bits)

    def multiply(self, bits: int, other: int) -> float:
        return _through(INTEGER_MULTIPLY, bits * other)


def memory_access(bits: int, size_bits: int) -> float:
    """Reading or writing `bits` of an SRAM of `size_bits`, in pJ.

    A published access moves 64 bits; narrower words share one, so they cost their part of it.
    Memories below 8 KiB cost as much as one of 8 KiB, since nothing smaller is published.
    """
    smallest = SRAM[0][0]
    return _through(SRAM, max(size_bits / 8, smallest)) * bits / SRAM_BITS


def _through(points: tuple[tuple[int, float], ...], x: float) -> float:
    """Linear through the points; proportional below the first, the last slope above the last."""
    (x0, y0), (x1, y1) = points[-2:]
    if x > x1:
        return y1 + (x - x1) * (y1 - y0) / (x1 - x0)
    xs, ys = zip((0, 0.0), *points, strict=True)
    return float(np.interp(x, xs, ys))
