"""The integer form of a step: which constants and tables it needs, each in which unit.

Functions become tables, and what is made of constants alone becomes one constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from arlif.base.errors import LoweringError, require
from arlif.base.reached import reached
from arlif.core.graph import CURRENT, FUNCTIONS, Graph, Node, Op, needed, replayed
from arlif.core.trace import Recording, Symbol, recorded
from arlif.core.units import Unit, Units
from arlif.core.words import described, variables


class Rounding(Enum):
    """Where a real constant goes. h >= c holds for integers h where h >= ceil(c)."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"

    def rounded(self, value: Any) -> Any:
        """A number or an array of them as int64."""
        rounding = {Rounding.NEAREST: np.rint, Rounding.UP: np.ceil, Rounding.DOWN: np.floor}[self]
        return rounding(value).astype(np.int64)


@dataclass(frozen=True)
class Expression:
    """A value made of parameters, numbers and, in a function, of x: that of the last node."""

    nodes: tuple[Node, ...]

    def __call__(self, ops: Any, parameters: Mapping[str, Any], x: Any = None) -> Any:
        """The value, computed by `ops` on real numbers."""
        return replayed(self.nodes, ops, {CURRENT: x}, parameters, {})[-1]

    def parameters(self) -> tuple[str, ...]:
        """Names of the constants that it reads."""
        return tuple(node.name for node in self.nodes if node.op is Op.PARAMETER)


@dataclass(frozen=True)
class Constant:
    """A number that the step reads: its value in real units, its unit, and how it is rounded."""

    value: Expression
    unit: Unit
    rounding: Rounding


@dataclass(frozen=True)
class Table:
    """A function that the step reads: of a STATE, with values in `unit`."""

    function: Expression
    unit: Unit


@dataclass(frozen=True)
class IntegerForm:
    """A step in integers. Its PARAMETERs are `constants`, its LOOKUPs `tables`, by name."""

    graph: Graph
    constants: dict[str, Constant]
    tables: dict[str, Table]

    def parameter_units(self) -> dict[str, Unit]:
        """The unit of every parameter of the neuron that `constants` are made of, by name."""
        units: dict[str, Unit] = {}
        for constant in self.constants.values():
            units |= dict.fromkeys(constant.value.parameters(), constant.unit)
        return units | {name: c.unit for name, c in self.constants.items() if name in units}


def integer_form(graph: Graph) -> IntegerForm:
    """The integer form of a traced step. Raises LoweringError with what integers cannot do."""
    return _Form(graph).built()


@dataclass
class _Form:
    """An integer form under way."""

    graph: Graph
    constants: dict[str, Constant] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.units = Units(self.graph)
        self.fixed, self.proper = self.units.fixed, self.units.proper
        self.rounding = _roundings(self.graph, self.fixed)

    def built(self) -> IntegerForm:
        """The whole."""
        for place in self.proper:
            self._check(place)
        self.units.infer()
        graph = self.graph
        recording = Recording()

        def step(ops: Any, state: tuple[Symbol, ...], x: Symbol) -> tuple[Any, list[Any]]:
            inputs = dict(zip(graph.states, state, strict=True)) | {CURRENT: x}
            values: dict[int, Any] = {}
            for place in self.proper:
                if not self.fixed[place]:
                    values[place] = self._rebuilt(recording, place, inputs, values)
            outputs = [
                values[n] if n in values else self._constant(recording, n, unit)
                for n, unit in self.units.outputs()
            ]
            after = zip(outputs[1:], graph.after, strict=True)
            return outputs[0], [
                value if _stays_inside(graph, place, self.fixed) else ops.saturate(value)
                for value, place in after
            ]

        return IntegerForm(recorded(recording, graph.states, step), self.constants, self.tables)

    def _rebuilt(
        self,
        recording: Recording,
        place: int,
        inputs: Mapping[str, Symbol],
        values: Mapping[int, Any],
    ) -> Symbol:
        node = self.graph.nodes[place]
        if node.op is Op.INPUT:
            return inputs[node.name]
        wanted = self.units.wanted(place)
        args = [
            self._constant(recording, arg, unit) if self.fixed[arg] else values[arg]
            for arg, unit in zip(node.args, wanted, strict=False)
        ]
        if node.op is not Op.LOOKUP:
            return recording.add(node.op, *args)
        return recording.add(Op.LOOKUP, args[0], name=self._table(node, self.units.of(place)))

    def _constant(self, recording: Recording, place: int, unit: Unit) -> Symbol:
        """A constant as the integer step reads it; 0 is 0 in every unit."""
        node = self.graph.nodes[place]
        if node.op is Op.NUMBER and node.number == 0:
            return recording.symbol(0)
        constant = Constant(
            _expression(self.graph, place), unit, self.rounding.get(place, Rounding.NEAREST)
        )
        name = described(self.graph, place)
        if self.constants.setdefault(name, constant) != constant:
            name = f"{name} ({unit.value})"
            self.constants[name] = constant
        return recording.add(Op.PARAMETER, name=name)

    def _table(self, node: Node, unit: Unit) -> str:
        argument, value = node.args
        table, name, number = Table(_expression(self.graph, value, argument), unit), node.name, 1
        while self.tables.setdefault(name, table) != table:
            number += 1
            name = f"{node.name}_{number}"
        return name

    def _check(self, place: int) -> None:
        """Raise LoweringError where integers have no such operation."""
        graph, node = self.graph, self.graph.nodes[place]
        if node.op in FUNCTIONS and not self.fixed[place]:
            raise LoweringError(
                f"{node.op.value} of {variables(graph, place)} is no operation of integers: put "
                "it into a method of the neuron and read that with ops.lookup, or use ops.multiply"
            )
        if node.op is not Op.LOOKUP:
            return
        require(len(node.args) == 2, f"{node.name} is a table already", LoweringError)
        argument, value = node.args
        behind = needed(graph, [value], stop=frozenset((argument,)))
        others = sorted(
            graph.nodes[n].name for n in behind if graph.nodes[n].op is Op.INPUT and n != argument
        )
        if others:
            raise LoweringError(
                f"{node.name} is a function of "
                f"{' and '.join([variables(graph, argument), *others])}: a table takes one "
                "variable; give the function all it reads as its argument, or split it into "
                "ops.multiply and functions of one variable"
            )


def _stays_inside(graph: Graph, place: int, fixed: list[bool]) -> bool:
    """Whether a new state lies in its format by how it is made; else it has to be saturated."""
    node = graph.nodes[place]
    if node.op in (Op.WHERE, Op.SELECT):
        return all(_stays_inside(graph, arg, fixed) for arg in node.args[1:])
    return fixed[place] or node.op in (Op.SATURATE, Op.INPUT)


def _roundings(graph: Graph, fixed: list[bool]) -> dict[int, Rounding]:
    """Constants that others are compared with: up where these must reach them, else down."""

    def branches(place: int) -> tuple[int, ...]:
        node = graph.nodes[place]
        chosen = node.op in (Op.WHERE, Op.SELECT) and not fixed[place]
        return node.args[1:] if chosen else ()

    found: dict[int, Rounding] = {}
    compared = [node for node in graph.nodes if node.op in (Op.FIRE, Op.GE)]
    for side, rounding in ((1, Rounding.UP), (0, Rounding.DOWN)):
        for place in reached((node.args[side] for node in compared), branches):
            if fixed[place]:
                found.setdefault(place, rounding)
    return found


def _expression(graph: Graph, place: int, argument: int | None = None) -> Expression:
    """A node's value as an expression, of `argument` in a function."""
    stop = frozenset(() if argument is None else (argument,))
    places = needed(graph, [place], stop)
    new: dict[int, int] = {}
    nodes = []
    for index, old in enumerate(places):
        node = graph.nodes[old]
        new[old] = index
        if old == argument:
            nodes.append(Node(Op.INPUT, name=CURRENT))
        else:
            args = tuple(new[arg] for arg in node.args)
            nodes.append(Node(node.op, args, node.name, node.number))
    return Expression(tuple(nodes))
