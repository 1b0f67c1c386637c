"""Graphs of operations as C: one declaration a value, in the types that its interval asks for.

A division by a power of two is C99's, which rounds toward zero (6.5.5), and a shift only where the
value is proven not to be negative. Values that the intervals decide are not computed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd

from arlif.core.formats import FixedPointFormat
from arlif.core.graph import Node, Op
from arlif.core.ranges import INT32, Interval, reachable, within
from arlif.core.tables import LookupTable
from export.c.c_types import literal


@dataclass
class Statements:
    """The code of some nodes.

    intervals: of every node. inputs: the C expressions of inputs and of constants that are arrays,
    by name. tables: by name, with arrays, the C names of their reachable cells.
    """

    nodes: Sequence[Node]
    intervals: Sequence[Interval]
    state_format: FixedPointFormat
    factor_bits: int
    inputs: dict[str, str]
    tables: Mapping[str, LookupTable] = field(default_factory=dict)
    arrays: dict[str, str] = field(default_factory=dict)
    prefix: str = "v"

    def lines(self, results: Sequence[int]) -> Iterator[str]:
        """Declarations of what the results need, in order."""
        for place in self._needed(results):
            if self._is_declared(place):
                kind = "int32_t" if within(self.intervals[place], INT32) else "int64_t"
                yield f"const {kind} {self.prefix}{place} = {self._value(place)};"

    def reads(self, results: Sequence[int]) -> set[str]:
        """The inputs, constants and tables that the results are computed from, by name."""
        return {self.nodes[n].name for n in self._needed(results) if self.nodes[n].name}

    def name(self, place: int) -> str:
        """The expression of a value that is a number, declared or given."""
        place = self._alias(place)
        low, high = self.intervals[place]
        if low == high:
            return literal(low)
        node = self.nodes[place]
        return self.inputs[node.name] if node.op in INPUTS else f"{self.prefix}{place}"

    def _alias(self, place: int) -> int:
        """The value that a node is equal to by its intervals."""
        node = self.nodes[place]
        if self.intervals[place][0] == self.intervals[place][1]:
            return place
        if node.op is Op.SATURATE and within(self.intervals[node.args[0]], self._format):
            return self._alias(node.args[0])
        if node.op in CHOICES:
            low, high = self.intervals[node.args[0]]
            if low == high:
                return self._alias(node.args[1 if low else 2])
        return place

    @property
    def _format(self) -> Interval:
        return self.state_format.low, self.state_format.high

    def _needed(self, results: Sequence[int]) -> list[int]:
        """What is computed for the results; comparisons within a choice are part of it."""
        self.compared: set[int] = set()
        waiting, seen = [self._alias(place) for place in results], set[int]()
        numbers = set(waiting)
        while waiting:
            place = waiting.pop()
            if place in seen or self.intervals[place][0] == self.intervals[place][1]:
                continue
            seen.add(place)
            args = [self._alias(arg) for arg in self.nodes[place].args]
            waiting += args
            numbers.update(args[1:] if self.nodes[place].op in CHOICES else args)
        self.compared = {place for place in seen - numbers if self.nodes[place].op in COMPARISONS}
        return sorted(seen)

    def _is_declared(self, place: int) -> bool:
        return self.nodes[place].op not in INPUTS and place not in self.compared

    def _condition(self, place: int) -> str:
        a, b = (self.name(arg) for arg in self.nodes[place].args)
        return f"({a} >= {b})" if place in self.compared else f"({self.name(place)} != 0)"

    def _value(self, place: int) -> str:
        node = self.nodes[place]
        args = [self.name(arg) for arg in node.args]
        wide = "" if within(self.intervals[place], INT32) else "(int64_t)"
        match node.op:
            case Op.ADD:
                return f"{wide}{args[0]} + {args[1]}"
            case Op.SUB:
                return f"{wide}{args[0]} - {args[1]}"
            case Op.NEG:
                return f"-{wide}{args[0]}"
            case Op.GE | Op.FIRE:
                return f"({args[0]} >= {args[1]}) ? 1 : 0"
            case Op.WHERE | Op.SELECT:
                return f"{self._condition(self._alias(node.args[0]))} ? {args[1]} : {args[2]}"
            case Op.SATURATE:
                return self._cast(place, self._clipped(node.args[0], *self._format))
            case Op.MULTIPLY:
                return self._product(place)
            case Op.LOOKUP:
                return self._lookup(node)
        raise ValueError(f"{node.op} is no operation of integers")

    def _cast(self, place: int, text: str) -> str:
        """A value that fits 32 bits of one that may have had more."""
        wide = not within(self.intervals[self._alias(self.nodes[place].args[0])], INT32)
        return f"(int32_t)({text})" if wide and within(self.intervals[place], INT32) else text

    def _clipped(self, arg: int, low: int, high: int) -> str:
        """A value within two ends; only the ends that it can pass are compared."""
        found, text = self.intervals[arg], self.name(arg)
        clipped = text
        if found[0] < low:
            clipped = f"({text} < {literal(low)}) ? {literal(low)} : {clipped}"
        if found[1] > high:
            rest = f"({clipped})" if found[0] < low else clipped
            clipped = f"({text} > {literal(high)}) ? {literal(high)} : {rest}"
        return clipped

    def _product(self, place: int) -> str:
        """value * factor / 2**factor_bits toward zero, a constant factor in lowest terms."""
        value, factor = self.nodes[place].args
        if self.intervals[value][0] == self.intervals[value][1]:
            value, factor = factor, value
        reach, by = self.intervals[value], self.intervals[factor]
        bits, text = self.factor_bits, self.name(factor)
        if by[0] == by[1]:
            common = gcd(by[0], 1 << bits).bit_length() - 1
            by, bits = (by[0] >> common, by[1] >> common), bits - common
            text = literal(by[0])
        corners = [a * b for a in reach for b in by]
        product = self.name(value) if by == (1, 1) else f"{self.name(value)} * {text}"
        wide = not within((min(corners), max(corners)), INT32)
        if wide and within(reach, INT32):
            product = f"(int64_t){product}"
        if not bits:
            return product
        if min(corners) >= 0:
            quotient = f"({product}) >> {bits}"
        else:
            one = f"INT64_C({1 << bits})" if wide else str(1 << bits)
            quotient = f"({product}) / {one}"
        fits = within(self.intervals[place], INT32)
        return f"(int32_t)({quotient})" if wide and fits else quotient

    def _lookup(self, node: Node) -> str:
        """A table's value; only cells that are reached are in its array."""
        table = self.tables[node.name]
        first = table.low + (self._first_cell(node.name) << table.shift)
        index = self._clipped(node.args[0], table.low, table.high)
        index = f"({index})" if "?" in index else index
        if first:
            sign, distance = ("-", first) if first > 0 else ("+", -first)
            index = f"({index} {sign} {distance})"
        return f"{self.arrays[node.name]}[{index}{f' >> {table.shift}' if table.shift else ''}]"

    def _first_cell(self, name: str) -> int:
        """The first cell that any lookup of a table reaches."""
        return min(
            reachable(self.tables[name], self.intervals[node.args[0]]).start
            for node in self.nodes
            if node.op is Op.LOOKUP and node.name == name
        )


INPUTS = (Op.INPUT, Op.PARAMETER)
CHOICES = (Op.WHERE, Op.SELECT)
COMPARISONS = (Op.GE, Op.FIRE)
