"""What one neuron update costs in operations, derived by running the step itself on symbols.

No table of costs exists: `current` and the neuron's own `step` are interpreted by CountingOps, so a
change of the equation changes the bill. Rules, as the integer specification (IntegerOps) works:

    multiply   one multiplication and one addition (rounding toward zero)
    saturate   two comparisons
    lookup     two comparisons (clip), one subtraction (index), one table read
    fire, >=   one comparison;  where, select  one selection;  +, -  one addition
    shifts     nothing: wiring
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from numbers import Integral
from typing import Any

import numpy as np

from arlif.base.errors import ArlifError
from arlif.core.network import Population
from arlif.core.steps import current
from arlif.core.tables import LookupTable


class Kind(Enum):
    """What an operation does."""

    MULTIPLY = "multiply"
    ADD = "add"
    COMPARE = "compare"
    SELECT = "select"
    LOOKUP = "lookup"


@dataclass(frozen=True)
class Operation:
    """One scalar operation.

    bits: width of the result (add), of the wider operand (compare, select), of the first operand
    (multiply) or of the table's values (lookup). other: width of a multiplication's second operand,
    size in bits of a lookup's table, otherwise 0.
    """

    kind: Kind
    bits: int
    other: int = 0


@dataclass(frozen=True)
class Update:
    """What one neuron does in one time step, from accumulator to spike.

    operations: how many of each. states: the state variables that it reads back and rewrites.
    """

    operations: Mapping[Operation, int]
    states: tuple[str, ...]

    def number(self, kind: Kind) -> int:
        """How many operations of one kind, whatever their width."""
        return sum(n for operation, n in self.operations.items() if operation.kind is kind)


@dataclass
class Tally:
    """What has been counted so far."""

    operations: Counter[Operation] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)

    def add(self, kind: Kind, bits: int, other: int = 0) -> None:
        """Count one operation."""
        self.operations[Operation(kind, bits, other)] += 1


@dataclass(frozen=True, eq=False)
class Symbol:
    """A value of known width that counts what is done with it; it refuses to be branched on."""

    tally: Tally
    bits: int
    name: str = ""

    __array_ufunc__ = None  # an array on the left is one operand too, not one per element

    def _sum(self, other: Any) -> "Symbol":
        bits = max(_use(self), _use(other)) + 1
        self.tally.add(Kind.ADD, bits)
        return Symbol(self.tally, bits)

    __add__ = __radd__ = __sub__ = __rsub__ = _sum

    def __neg__(self) -> "Symbol":
        return self._sum(0)

    def __ge__(self, other: Any) -> "Symbol":
        self.tally.add(Kind.COMPARE, max(_use(self), _use(other)))
        return Symbol(self.tally, 1)

    def __bool__(self) -> bool:
        raise TypeError("a step may not branch on values; use ops.where or ops.select")


class CountingOps:
    """The arithmetic of a step on symbols: every operation is counted with its width."""

    def __init__(self, state_bits: int) -> None:
        self.state_bits, self.tally = state_bits, Tally()

    def symbol(self, bits: int, name: str = "") -> Symbol:
        """An input of the step."""
        return Symbol(self.tally, bits, name)

    def multiply(self, value: Any, factor: Any, factor_bits: int) -> Any:
        a, b = _use(value), _use(factor)
        self.tally.add(Kind.MULTIPLY, a, b)
        self.tally.add(Kind.ADD, a + b)
        return self.symbol(max(1, a + b - factor_bits))

    def saturate(self, value: Any) -> Any:
        self._clip(value)
        return self.symbol(self.state_bits)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        bits = max(_use(a), _use(b))
        self.tally.add(Kind.SELECT, bits)
        return self.symbol(bits)

    def fire(self, h: Any, theta: Any) -> Any:
        return h >= theta

    def select(self, spikes: Any, fired: Any, silent: Any) -> Any:
        return self.where(spikes, fired, silent)

    def lookup(self, table: LookupTable, x: Any) -> Any:
        bits = max(_bits(int(table.values.min())), _bits(int(table.values.max())))
        self._clip(x)
        self.tally.add(Kind.ADD, _use(x))
        self.tally.add(Kind.LOOKUP, bits, bits * table.values.size)
        return self.symbol(bits)

    def _clip(self, value: Any) -> None:
        self.tally.add(Kind.COMPARE, _use(value))
        self.tally.add(Kind.COMPARE, _use(value))


GAIN_BITS = 8
"""Width of a population's gains, uint8 (arlif.core.nodes.Population)."""


def update(population: Population, accumulator_bits: int) -> Update:
    """What one neuron of a population does per time step.

    accumulator_bits: width of its accumulator (network.accumulator_bits).
    Raises ArlifError where the neuron has no step that can be traced: nothing is ever free.
    """
    neuron = population.neuron
    ops = CountingOps(neuron.state_format.bits)
    state = neuron.state_type(*(ops.symbol(ops.state_bits, name) for name in neuron.variables))
    gain, bias = ops.symbol(GAIN_BITS), ops.symbol(ops.state_bits)
    x = current(ops, ops.symbol(accumulator_bits), gain, population.gain_shift, bias)
    try:
        neuron.step(ops, state, x)
    except (NotImplementedError, TypeError, AttributeError) as error:
        raise ArlifError(
            f"population {population.name}: the cost of {neuron.name} is unknown, its "
            f"step cannot be traced ({error or 'it has none'}); write the step through ops"
        ) from error
    states = tuple(name for name in neuron.variables if name in ops.tally.read)
    return Update(dict(ops.tally.operations), states)


def _use(value: Any) -> int:
    """The width of an operand, noting that it was read."""
    if isinstance(value, Symbol):
        if value.name:
            value.tally.read.add(value.name)
        return value.bits
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "iu":
        return max(_bits(int(value.min())), _bits(int(value.max())))
    return _bits(int(value)) if isinstance(value, Integral) else _not_a_number(value)


def _bits(value: int) -> int:
    """Two's complement width of one integer."""
    return (value if value >= 0 else -value - 1).bit_length() + 1


def _not_a_number(value: Any) -> int:
    raise TypeError(f"{value!r} is no integer of known width")
