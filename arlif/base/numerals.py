"""Numbers as text for people: few digits, the magnitude always there."""

from math import floor, log10

UNITS = ("", " k", " M", " G", " T")
LONGEST = 1e5
"""From here on numbers are written in thousands, millions, ..."""


def significant(value: float, digits: int = 3) -> str:
    """A number with this many significant digits: 0.0706, 5.84, 4,860, 253 k, 1.30 M."""
    rounded = float(f"{value:.{digits - 1}e}")
    power = 0
    while abs(rounded) >= (LONGEST if power == 0 else 1000.0) and power < len(UNITS) - 1:
        power += 1
        rounded = float(f"{value / 1000.0**power:.{digits - 1}e}")
    before_the_point = floor(log10(abs(rounded))) + 1 if rounded else digits
    return f"{rounded + 0.0:,.{max(0, digits - before_the_point)}f}{UNITS[power]}"


def percent(fraction: float) -> str:
    """A fraction as a percentage with two digits, never -0."""
    return f"{round(100 * fraction, 2) + 0.0:.2f} %"


def points(difference: float) -> str:
    """How far two fractions are apart, in percentage points with two digits, without a sign."""
    return f"{100 * abs(difference):.2f} points"


def whole(value: float) -> str:
    """A count: exact below 100,000, four significant digits above."""
    return f"{round(value):,}" if abs(value) < LONGEST else significant(value, 4)


def counted(number: int, thing: str) -> str:
    """A number and what it counts: 1 epoch, 2 epochs, 1,000 epochs."""
    return f"{number:,} {thing}" + "s" * (number != 1)
