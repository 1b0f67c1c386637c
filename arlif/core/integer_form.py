"""The integer form of a step: which constants and tables it needs, each in which unit.

A STATE counts in steps of the state format, a FACTOR in steps of 2**-factor_bits. Which is which
follows from what the step does: x, the state variables and what is saturated are states; what
multiplies is a factor; a product is what was multiplied; sums, comparisons and choices are of one
unit. Functions become tables, and what is made of constants alone becomes one constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from arlif.base.errors import LoweringError, require
from arlif.core.graph import (
    APPLY,
    CURRENT,
    FUNCTIONS,
    Graph,
    Node,
    Op,
    needed,
)
from arlif.core.trace import Recording, Symbol, recorded


class Unit(Enum):
    """What 1.0 is in integers: 2**frac_bits, 2**factor_bits, or a condition, true or false."""

    STATE = "state"
    FACTOR = "factor"
    CONDITION = "condition"


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
        values: list[Any] = []
        for node in self.nodes:
            given = [values[arg] for arg in node.args]
            match node.op:
                case Op.INPUT:
                    values.append(x)
                case Op.PARAMETER:
                    values.append(parameters[node.name])
                case Op.NUMBER:
                    values.append(node.number)
                case Op.LOOKUP:
                    values.append(given[1])
                case _:
                    values.append(APPLY[node.op](ops, *given))
        return values[-1]

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


def integer_units(graph: Graph) -> dict[str, Unit]:
    """The unit of every constant and every table of a step in integers, by name."""
    form = _Form(graph)
    for place in form.proper:
        node = graph.nodes[place]
        require(
            node.op not in FUNCTIONS
            and (node.op is not Op.LOOKUP or len(node.args) == 1)
            and (not form.fixed[place] or node.op in (Op.PARAMETER, Op.NUMBER))
            and node.number.is_integer(),
            f"{node.op.value}, operation {place} of the step, is none of integers on what varies",
            LoweringError,
        )
    return form.named_units()


@dataclass
class _Form:
    """An integer form under way."""

    graph: Graph
    units: dict[int, Unit] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph = self.graph
        self.fixed = [not inputs for inputs in graph.dependencies()]
        self.proper = _proper(graph)
        self.rounding = _roundings(graph, self.fixed)
        require(
            not self.fixed[graph.spikes],
            "spikes that depend on constants alone say nothing; compare a state with ops.fire",
            LoweringError,
        )

    def built(self) -> IntegerForm:
        """The whole."""
        for place in self.proper:
            self._check(place)
        self._infer_units()
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
                for n, unit in self._outputs()
            ]
            after = zip(outputs[1:], graph.after, strict=True)
            return outputs[0], [
                value if _stays_inside(graph, place, self.fixed) else ops.saturate(value)
                for value, place in after
            ]

        return IntegerForm(recorded(recording, graph.states, step), self.constants, self.tables)

    def named_units(self) -> dict[str, Unit]:
        """The units of parameters and functions by name."""
        self._infer_units()
        found: dict[str, Unit] = {}
        uses = self._outputs()
        for place in self.proper:
            node = self.graph.nodes[place]
            uses += zip(node.args, self._wanted(place), strict=False)
            if node.op is Op.LOOKUP:
                found[node.name] = self.units.get(place, Unit.STATE)
        for place, unit in uses:
            node = self.graph.nodes[place]
            if node.op is Op.PARAMETER:
                other = found.setdefault(node.name, unit)
                require(
                    other is unit,
                    f"{node.name} is used as a {other.value} and as a {unit.value}",
                    LoweringError,
                )
        return found

    def _outputs(self) -> list[tuple[int, Unit]]:
        graph = self.graph
        return [(graph.spikes, Unit.CONDITION), *((n, Unit.STATE) for n in graph.after)]

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
        wanted = self._wanted(place)
        args = [
            self._constant(recording, arg, unit) if self.fixed[arg] else values[arg]
            for arg, unit in zip(node.args, wanted, strict=False)
        ]
        if node.op is not Op.LOOKUP:
            return recording.add(node.op, *args)
        unit = self.units.get(place, Unit.STATE)
        name = self._table(node, unit)
        return recording.add(Op.LOOKUP, args[0], name=name)

    def _wanted(self, place: int) -> list[Unit]:
        """The units of a node's arguments."""
        node, own = self.graph.nodes[place], self.units.get(place, Unit.STATE)
        match node.op:
            case Op.MULTIPLY:
                return [own, Unit.FACTOR]
            case Op.WHERE | Op.SELECT:
                return [Unit.CONDITION, own, own]
            case Op.GE | Op.FIRE:
                known = [self.units[arg] for arg in node.args if arg in self.units]
                return [known[0] if known else Unit.STATE] * 2
            case Op.LOOKUP:
                return [Unit.STATE]
        return [own] * len(node.args)

    def _constant(self, recording: Recording, place: int, unit: Unit) -> Symbol:
        """A constant as the integer step reads it; 0 is 0 in every unit."""
        node = self.graph.nodes[place]
        if node.op is Op.NUMBER and node.number == 0:
            return recording.symbol(0)
        constant = Constant(
            _expression(self.graph, place), unit, self.rounding.get(place, Rounding.NEAREST)
        )
        name = _described(self.graph, place)
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
                f"{node.op.value} of {_variables(graph, place)} is no operation of integers: put "
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
                f"{' and '.join([_variables(graph, argument), *others])}: a table takes one "
                "variable; give the function all it reads as its argument, or split it into "
                "ops.multiply and functions of one variable"
            )

    def _infer_units(self) -> None:
        """Spread the units that are known until nothing changes."""
        for place, unit in self._outputs():
            self._set(place, unit)
        for place in self.proper:
            match self.graph.nodes[place].op:
                case Op.INPUT | Op.SATURATE:
                    self._set(place, Unit.STATE)
                case Op.GE | Op.FIRE:
                    self._set(place, Unit.CONDITION)
        before = -1
        while before != len(self.units):
            before = len(self.units)
            for place in reversed(self.proper):
                self._spread(place)
            for place in self.proper:
                self._spread(place)
        for place in self.proper:
            self._check_conditions(place)

    def _check_conditions(self, place: int) -> None:
        """Raise LoweringError where a step computes with a condition, or chooses by constants."""
        node = self.graph.nodes[place]
        computes = node.op in (Op.ADD, Op.SUB, Op.NEG, Op.MULTIPLY, Op.SATURATE)
        if computes and self.units.get(place) is Unit.CONDITION:
            raise LoweringError(
                f"{_shortly(self.graph, place)} computes with a condition; choose between two "
                "values by it: ops.select(s, 1, 0), or ops.where"
            )
        if node.op in (Op.WHERE, Op.SELECT) and self.fixed[node.args[0]] and not self.fixed[place]:
            raise LoweringError(
                f"{_shortly(self.graph, place)} chooses by constants alone; make the choice a "
                "field of the class without `constant`, and write an `if` in the step"
            )

    def _spread(self, place: int) -> None:
        node = self.graph.nodes[place]
        match node.op:
            case Op.SATURATE | Op.LOOKUP:
                self._set(node.args[0], Unit.STATE)
            case Op.MULTIPLY:
                self._set(node.args[1], Unit.FACTOR)
                self._alike((place, node.args[0]))
            case Op.WHERE | Op.SELECT:
                self._set(node.args[0], Unit.CONDITION)
                self._alike((place, *node.args[1:]))
            case Op.GE | Op.FIRE:
                self._alike(node.args)
            case Op.ADD | Op.SUB | Op.NEG:
                self._alike((place, *node.args))

    def _alike(self, places: tuple[int, ...]) -> None:
        known = next((self.units[n] for n in places if n in self.units), None)
        if known is not None:
            for place in places:
                self._set(place, known)

    def _set(self, place: int, unit: Unit) -> None:
        """Note a unit; constants have one for each use."""
        if self.fixed[place]:
            return
        found = self.units.setdefault(place, unit)
        if found is not unit:
            raise LoweringError(
                f"{_shortly(self.graph, place)} is a {found.value} and is used as a {unit.value}: "
                "ops.multiply takes a state and a factor, which is a constant or a function by "
                "ops.lookup; the product of two states is a function of two variables, and only "
                "tables of one are integers"
            )


def _stays_inside(graph: Graph, place: int, fixed: list[bool]) -> bool:
    """Whether a new state lies in its format by how it is made; else it has to be saturated."""
    node = graph.nodes[place]
    if node.op in (Op.WHERE, Op.SELECT):
        return all(_stays_inside(graph, arg, fixed) for arg in node.args[1:])
    return fixed[place] or node.op in (Op.SATURATE, Op.INPUT)


def _proper(graph: Graph) -> list[int]:
    """The nodes that integers compute, in order: what only functions need is left out."""
    seen: set[int] = set()
    waiting = [graph.spikes, *graph.after]
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            node = graph.nodes[place]
            waiting += node.args[:1] if node.op is Op.LOOKUP else node.args
    return sorted(seen)


def _roundings(graph: Graph, fixed: list[bool]) -> dict[int, Rounding]:
    """Constants that others are compared with: up where these must reach them, else down."""
    found: dict[int, Rounding] = {}
    compared = [node for node in graph.nodes if node.op in (Op.FIRE, Op.GE)]
    for side, rounding in ((1, Rounding.UP), (0, Rounding.DOWN)):
        waiting = [node.args[side] for node in compared]
        seen: set[int] = set()
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            node = graph.nodes[place]
            if fixed[place]:
                found.setdefault(place, rounding)
            elif node.op in (Op.WHERE, Op.SELECT):
                waiting += node.args[1:]
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


SIGNS = {Op.ADD: "+", Op.SUB: "-", Op.TIMES: "*", Op.MULTIPLY: "*", Op.OVER: "over", Op.GE: ">="}


def _described(graph: Graph, place: int) -> str:
    """A node in words, as short as the equation has it; different constants differ."""
    texts: dict[int, str] = {}
    for n in needed(graph, [place]):
        texts[n] = _text(graph.nodes[n], [texts[arg] for arg in graph.nodes[n].args])
    return texts[place]


def _shortly(graph: Graph, place: int) -> str:
    """A node in a line of words, however large the equation is."""
    texts: dict[int, str] = {}
    for n in needed(graph, [place]):
        text = _text(graph.nodes[n], [texts[arg] for arg in graph.nodes[n].args])
        texts[n] = text if len(text) <= 80 else "..."
    return texts[place]


def _text(node: Node, args: list[str]) -> str:
    """A node in words, given its arguments in words."""
    if node.op is Op.NUMBER:
        return repr(node.number).removesuffix(".0")
    if node.op is Op.LOOKUP:
        return f"{node.name}({args[0]})"
    if node.name:
        return node.name
    if node.op in SIGNS:
        return f" {SIGNS[node.op]} ".join(p if " " not in p else f"({p})" for p in args)
    return f"-{args[0]}" if node.op is Op.NEG else f"{node.op.value}({', '.join(args)})"


def _variables(graph: Graph, place: int) -> str:
    return " and ".join(sorted(graph.dependencies()[place])) or "constants"
