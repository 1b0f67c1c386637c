"""Integers in C: the narrowest type of an interval, literals, constant arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arlif.core.maps import Shape
from arlif.core.ranges import INT32, Interval, within

SIZES = {
    "uint8_t": (0, 255),
    "int8_t": (-128, 127),
    "uint16_t": (0, 65535),
    "int16_t": (-(1 << 15), (1 << 15) - 1),
    "int32_t": INT32,
    "int64_t": (-(1 << 63), (1 << 63) - 1),
}
"""Types and what they hold, the narrowest first."""


def narrowest(interval: Interval, *types: str) -> str:
    """The first of some types, by default of all, that holds an interval."""
    return next(name for name in types or SIZES if within(interval, SIZES[name]))


def size(kind: str) -> int:
    """Bytes of a type."""
    return int(kind.strip("uint_")) // 8


def literal(value: int) -> str:
    """A number."""
    if value == INT32[0]:
        return "(-2147483647 - 1)"
    if not within((value, value), INT32):
        return f"INT64_C({value})"
    return f"({value})" if value < 0 else str(value)


def span(values: ArrayLike) -> Interval:
    """The smallest and the largest of some integers."""
    return int(np.min(values)), int(np.max(values))


def sides(shape: Shape) -> tuple[int, int, int]:
    """(C, H, W) of a shape; features are channels of one pixel."""
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (shape[0], 1, 1)


def times(value: str, factor: int) -> str:
    """A product; the value alone where the factor is one."""
    return value if factor == 1 else f"{value} * {factor}"


def pixel(row: str, column: str, width: int, count: int) -> str:
    """Where the `count` numbers of a pixel begin: (row * width + column) * count."""
    return times(f"({times(row, width)} + {column})", count)


def indented(lines: Iterable[str]) -> list[str]:
    """Lines, one level further in."""
    return [f"    {line}" for line in lines]


def channels_last(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Values of neurons, [*lead, *shape], in the order of the C arrays: [*lead, H, W, C] flat."""
    lead = values.shape[: values.ndim - len(shape)]
    laid = np.moveaxis(values.reshape(*lead, *sides(shape)), -3, -1)
    return laid.reshape(*lead, -1)


@dataclass
class Constants:
    """The constant arrays of a network.c under way; equal ones are there once."""

    lines: list[str] = field(default_factory=list)
    names: dict[tuple[str, bytes], str] = field(default_factory=dict)
    bytes: int = 0

    def add(self, name: str, values: ArrayLike) -> str:
        """The name of an array of integers in the narrowest type that holds them."""
        flat = np.asarray(values, np.int64).ravel()
        kind = narrowest(span(flat), "int8_t", *SIZES)
        key = (kind, flat.tobytes())
        if key not in self.names:
            taken = {*self.names.values()}
            others = (f"{name}{k}" for k in count(2))
            name = next(n for n in chain((name,), others) if n not in taken)
            self.names[key] = name
            self.bytes += size(kind) * flat.size
            numbers = [literal(int(n)).strip("()") for n in flat]
            rows = [", ".join(numbers[i : i + 20]) for i in range(0, len(numbers), 20)]
            self.lines += [
                f"static const {kind} {name}[{flat.size}] = {{",
                *(f"    {row}," for row in rows[:-1]),
                f"    {rows[-1]}",
                "};",
            ]
        return self.names[key]
