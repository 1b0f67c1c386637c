"""What one neuron update costs in operations, read from the graph of its step.

No table of costs exists: the graphs of `current` and of the neuron's own step are counted, so a
change of the equation changes the bill. Equal operations are done once, and what is made of
constants alone costs nothing. Rules, as the integer specification (IntegerOps) works:

    multiply   one multiplication and one addition (rounding toward zero)
    saturate   two comparisons
    lookup     two comparisons (clip), one subtraction (index), one table read
    fire, >=   one comparison;  where, select  one selection;  +, -  one addition
    shifts     nothing: wiring
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from arlif.core.current_graph import BIAS, GAIN, recorded_current
from arlif.core.graph import CURRENT, Graph, Node, Op
from arlif.core.network import Population
from arlif.core.ranges import width
from arlif.core.tables import LookupTable


class OperationKind(Enum):
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

    kind: OperationKind
    bits: int
    other: int = 0


@dataclass(frozen=True)
class UpdateCost:
    """What one neuron does in one time step, from accumulator to spike.

    operations: how many of each. states: the state variables that it reads back and rewrites.
    """

    operations: Mapping[Operation, int]
    states: tuple[str, ...]

    def number(self, kind: OperationKind) -> int:
        """How many operations of one kind, whatever their width."""
        return sum(n for operation, n in self.operations.items() if operation.kind is kind)


GAIN_BITS = 8
"""Width of a population's gains, uint8 (arlif.core.nodes.Population)."""


def update_cost(population: Population, accumulator_bits: int) -> UpdateCost:
    """What one neuron of a population does per time step.

    accumulator_bits: width of its accumulator (network.accumulator_bits).
    """
    neuron = population.neuron
    state = neuron.state_format.bits
    before = {CURRENT: accumulator_bits, GAIN: GAIN_BITS, BIAS: state}
    operations = counted(_current(), before, state, population.gain_shift)
    widths = dict.fromkeys((CURRENT, *neuron.variables), state)
    widths |= {name: value_bits(value) for name, value in neuron.constants.items()}
    operations += counted(neuron.graph.nodes, widths, state, neuron.factor_bits, neuron.tables)
    return UpdateCost(dict(operations), _states_read(neuron.graph))


def counted(
    nodes: Sequence[Node],
    widths: Mapping[str, int],
    state_bits: int,
    factor_bits: int,
    tables: Mapping[str, LookupTable] = MappingProxyType({}),
) -> Counter[Operation]:
    """How many of each operation the nodes of a step in integers do.

    widths: of x, the state variables and the constants by name, in bits.
    """
    kind, found, bits = OperationKind, Counter[Operation](), list[int]()
    for node in nodes:
        given = [bits[arg] for arg in node.args]
        match node.op:
            case Op.INPUT | Op.PARAMETER:
                own = widths[node.name]
            case Op.NUMBER:
                own = value_bits(int(node.number))
            case Op.ADD | Op.SUB | Op.NEG:
                own = max(given) + 1
                found[Operation(kind.ADD, own)] += 1
            case Op.GE | Op.FIRE:
                own = 1
                found[Operation(kind.COMPARE, max(given))] += 1
            case Op.MULTIPLY:
                own = max(1, sum(given) - factor_bits)
                found[Operation(kind.MULTIPLY, *given)] += 1
                found[Operation(kind.ADD, sum(given))] += 1
            case Op.SATURATE:
                own = state_bits
                found[Operation(kind.COMPARE, *given)] += 2
            case Op.WHERE | Op.SELECT:
                own = max(given[1:])
                found[Operation(kind.SELECT, own)] += 1
            case Op.LOOKUP:
                values = tables[node.name].values
                own = value_bits(values)
                found[Operation(kind.COMPARE, *given)] += 2
                found[Operation(kind.ADD, *given)] += 1
                found[Operation(kind.LOOKUP, own, own * values.size)] += 1
            case _:
                raise ValueError(f"{node.op} is no operation of integers")
        bits.append(own)
    return found


@cache
def _current() -> tuple[Node, ...]:
    return tuple(recorded_current().nodes)


def _states_read(graph: Graph) -> tuple[str, ...]:
    read = {graph.nodes[arg].name for node in graph.nodes for arg in node.args}
    return tuple(name for name in graph.states if name in read)


def value_bits(value: Any) -> int:
    """Two's complement width of an integer, or of the widest of an array."""
    return width((int(np.min(value)), int(np.max(value))))
