"""Which integers a value of a step can be: intervals, proven from what the step reads."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from arlif.base.errors import NetworkError, require
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import CURRENT, Graph, Nodes, Op
from arlif.core.tables import LookupTable

Interval = tuple[int, int]
"""The smallest and the largest integer that a value can be."""
INT32: Interval = (-(1 << 31), (1 << 31) - 1)


def intervals(
    graph: Nodes,
    state_format: FixedPointFormat,
    factor_bits: int,
    constants: Mapping[str, Any],
    tables: Mapping[str, LookupTable],
    inputs: Mapping[str, Interval],
    word: Interval = INT32,
) -> list[Interval]:
    """The interval of every node of a step in integers; conditions are 0 to 1.

    inputs: intervals of x and of the state variables by name. Raises NetworkError where a value
    could leave `word`, by default 32 bits.
    """
    found: list[Interval] = []
    for node in graph.nodes:
        given = [found[arg] for arg in node.args]
        match node.op:
            case Op.INPUT:
                own = inputs[node.name]
            case Op.PARAMETER:
                values = constants[node.name]
                own = (int(np.min(values)), int(np.max(values)))
            case Op.NUMBER:
                own = (int(node.number), int(node.number))
            case Op.ADD:
                own = (given[0][0] + given[1][0], given[0][1] + given[1][1])
            case Op.SUB:
                own = (given[0][0] - given[1][1], given[0][1] - given[1][0])
            case Op.NEG:
                own = (-given[0][1], -given[0][0])
            case Op.GE | Op.FIRE:
                own = (int(given[0][0] >= given[1][1]), int(given[0][1] >= given[1][0]))
            case Op.MULTIPLY:
                own = _product(given[0], given[1], factor_bits)
            case Op.SATURATE:
                own = _clipped(given[0], state_format.low, state_format.high)
            case Op.WHERE | Op.SELECT:
                own = _choice(*given)
            case Op.LOOKUP:
                table = tables[node.name]
                cells = table.values[reachable(table, given[0])]
                own = (int(cells.min()), int(cells.max()))
            case _:
                raise ValueError(f"{node.op} is no operation of integers")
        require(
            within(own, word),
            f"a value of the step lies in {own[0]} to {own[1]}, which leaves 32 bits; put "
            "ops.saturate around a sum of fewer parts, or use a narrower state format",
            NetworkError,
        )
        found.append(own)
    return found


def width(interval: Interval) -> int:
    """Bits of the narrowest two's complement that holds every integer of an interval."""
    low, high = interval
    return 1 + max(high.bit_length() if high > 0 else 0, (-low - 1).bit_length() if low < 0 else 0)


def within(interval: Interval, outer: Interval) -> bool:
    """Whether an interval lies in another."""
    return outer[0] <= interval[0] and interval[1] <= outer[1]


def joined(a: Interval, b: Interval) -> Interval:
    """The smallest interval that holds two."""
    return min(a[0], b[0]), max(a[1], b[1])


def reachable(table: LookupTable, x: Interval) -> slice:
    """The cells that inputs of an interval read."""
    first, last = ((edge - table.low) >> table.shift for edge in _clipped(x, table.low, table.high))
    return slice(first, last + 1)


def format_intervals(graph: Graph, state_format: FixedPointFormat) -> dict[str, Interval]:
    """x and every state variable anywhere in the state format."""
    return dict.fromkeys((CURRENT, *graph.states), (state_format.low, state_format.high))


def _product(value: Interval, factor: Interval, factor_bits: int) -> Interval:
    corners = [toward_zero(a * b, factor_bits) for a in value for b in factor]
    return min(corners), max(corners)


def toward_zero(value: int, bits: int) -> int:
    """value / 2**bits, rounded toward zero."""
    return -(-value >> bits) if value < 0 else value >> bits


def _clipped(value: Interval, low: int, high: int) -> Interval:
    return min(max(value[0], low), high), min(max(value[1], low), high)


def _choice(condition: Interval, a: Interval, b: Interval) -> Interval:
    if condition[0] == condition[1]:
        return a if condition[0] else b
    return joined(a, b)
