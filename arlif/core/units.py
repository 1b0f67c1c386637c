"""Units of a step in integers: which values count in steps of the state, which are factors.

A STATE counts in steps of the state format, a FACTOR in steps of 2**-factor_bits. Which is which
follows from what the step does: x, the state variables and what is saturated are states; what
multiplies is a factor; a product is what was multiplied; sums, comparisons and choices are of one
unit.
"""

from dataclasses import dataclass, field
from enum import Enum

from arlif.base.errors import LoweringError, require
from arlif.base.reached import reached
from arlif.core.graph import FUNCTIONS, Graph, Op, dependencies
from arlif.core.words import shortly


class Unit(Enum):
    """What 1.0 is in integers: 2**frac_bits, 2**factor_bits, or a condition, true or false."""

    STATE = "state"
    FACTOR = "factor"
    CONDITION = "condition"


def integer_units(graph: Graph) -> dict[str, Unit]:
    """The unit of every constant and every table of a step in integers, by name."""
    found = Units(graph)
    for place in found.proper:
        node = graph.nodes[place]
        require(
            node.op not in FUNCTIONS
            and (node.op is not Op.LOOKUP or len(node.args) == 1)
            and (not found.fixed[place] or node.op in (Op.PARAMETER, Op.NUMBER))
            and node.number.is_integer(),
            f"{node.op.value}, operation {place} of the step, is none of integers on what varies",
            LoweringError,
        )
    found.infer()
    return found.named()


@dataclass
class Units:
    """The units of a step, once `infer` was called; it raises LoweringError where a value has two.

    fixed: whether a node depends on constants alone. proper: the nodes that integers compute, in
    order; what only functions need is left out.
    """

    graph: Graph
    units: dict[int, Unit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph = self.graph
        self.fixed = [not inputs for inputs in dependencies(graph)]
        self.proper = _proper(graph)
        require(
            not (graph.fires and self.fixed[graph.spikes]),
            "spikes that depend on constants alone say nothing; compare a state with ops.fire, or "
            "return 0 for a neuron that never fires",
            LoweringError,
        )

    def of(self, place: int) -> Unit:
        """The unit of a node; a STATE where nothing says more."""
        return self.units.get(place, Unit.STATE)

    def named(self) -> dict[str, Unit]:
        """The units of parameters and functions by name."""
        found: dict[str, Unit] = {}
        uses = self.outputs()
        for place in self.proper:
            node = self.graph.nodes[place]
            uses += zip(node.args, self.wanted(place), strict=False)
            if node.op is Op.LOOKUP:
                found[node.name] = self.of(place)
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

    def outputs(self) -> list[tuple[int, Unit]]:
        """The results of a step with their units."""
        graph = self.graph
        return [(graph.spikes, Unit.CONDITION), *((n, Unit.STATE) for n in graph.after)]

    def wanted(self, place: int) -> list[Unit]:
        """The units of a node's arguments."""
        node, own = self.graph.nodes[place], self.of(place)
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

    def infer(self) -> None:
        """Spread the units that are known until nothing changes."""
        for place, unit in self.outputs():
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
                f"{shortly(self.graph, place)} computes with a condition; choose between two "
                "values by it: ops.select(s, 1, 0), or ops.where"
            )
        if node.op in (Op.WHERE, Op.SELECT) and self.fixed[node.args[0]] and not self.fixed[place]:
            raise LoweringError(
                f"{shortly(self.graph, place)} chooses by constants alone; make the choice a "
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
                f"{shortly(self.graph, place)} is a {found.value} and is used as a {unit.value}: "
                "ops.multiply takes a state and a factor, which is a constant or a function by "
                "ops.lookup; the product of two states is a function of two variables, and only "
                "tables of one are integers"
            )


def _proper(graph: Graph) -> list[int]:
    """The nodes that integers compute, in order: what only functions need is left out."""

    def arguments(place: int) -> tuple[int, ...]:
        node = graph.nodes[place]
        return node.args[:1] if node.op is Op.LOOKUP else node.args

    return sorted(reached((graph.spikes, *graph.after), arguments))
