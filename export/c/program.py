"""What every style makes of a network: the parts of network.h and network.c."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from arlif.core.maps import Shape
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.nodes import OverTime, Projection
from arlif.core.proven_ranges import PopulationRanges, population_ranges
from arlif.core.ranges import INT32, Interval
from export.c.c_types import Constants, narrowest, pixel, sides, size
from export.c.neuron_code import NeuronCode


@dataclass
class Program:
    """A network.c under way.

    fields: of the struct, each a declaration. memory: its bytes by what they are for. functions:
    lines before the public ones. start, step, run: bodies of these; without step there is only run.
    event: the body of add_event, empty where there is none; c, y and x lie within the frame.
    """

    constants: Constants = field(default_factory=Constants)
    fields: list[str] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    step: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    event: list[str] = field(default_factory=list)

    def keep(self, kind: str, name: str, count: int, what: str, rows: int = 0) -> None:
        """A field of the struct; rows: how many arrays of `count`, where there are several."""
        lead = f"[{rows}]" if rows else ""
        self.fields.append(f"{kind} {name}{lead}[{count}]; /* {what} */")
        self.memory[name] = size(kind) * count * max(rows, 1)

    def function(self, head: str, body: Iterable[str]) -> None:
        """A static function."""
        self.functions += [f"static void {head}", "{", *(f"    {line}" for line in body), "}", ""]


@dataclass(frozen=True)
class Plan:
    """What styles ask of a network."""

    network: QuantizedNetwork

    @property
    def targets(self) -> list[str]:
        """Populations, sources first, then the readout, where anything arrives there."""
        names = [p.name for p in self.network.populations]
        return names if self.network.readout.reading else [*names, READOUT]

    def label(self, name: str) -> str:
        """An identifier of a node, whatever its name is."""
        if name in (INPUT, READOUT):
            return name
        return f"p{[p.name for p in self.network.populations].index(name)}"

    def number(self, projection: Projection) -> int:
        """The place of a projection in the network."""
        return next(n for n, p in enumerate(self.network.projections) if p is projection)

    def is_static(self, projection: Projection) -> bool:
        """Whether it adds the same at every step."""
        from_input = projection.source == INPUT and self.network.input.static
        return from_input and projection.delay == 0

    def waits(self, name: str) -> int:
        """How many steps what a node sends must be kept: an OR is formed when it has arrived."""
        return max((p.delay for p in self.network.projections if p.source == name), default=0)

    def incoming(self, name: str, static: bool) -> list[Projection]:
        """The projections into a node that add the same at every step, or the others."""
        return [p for p in self.network.incoming(name) if self.is_static(p) == static]

    def sum_type(self, name: str) -> str:
        """Of a node's accumulator: any part of its sum lies in its interval, which holds 0."""
        return narrowest(self.network.accumulator_interval(name), "int16_t", "int32_t")

    def value_type(self, name: str) -> str:
        """Of what a node sends."""
        return "int8_t" if name == INPUT else "uint8_t"

    def ranges(self, name: str) -> PopulationRanges:
        """The proven intervals of a population."""
        return population_ranges(self.network, name)

    def readout_interval(self) -> Interval:
        """What the readout adds in one step, or reads in any."""
        reading, bias = self.network.readout.reading, self.network.readout.bias
        low, high = self.network.accumulator_interval(READOUT)
        if reading is not None:
            low, high = self.ranges(reading.population).neuron.states[reading.variable]
        return low + int(bias.min()), high + int(bias.max())

    def logit_type(self) -> str:
        """Holds T steps of the readout."""
        times = 1 if self.network.readout.reading else self.network.time_steps
        low, high = (times * end for end in self.readout_interval())
        return narrowest((min(low, 0), max(high, 0)), "int32_t", "int64_t")

    @property
    def logit_words(self) -> str:
        """What the logits are, in a comment."""
        found = self.network.readout.reading
        return (
            f"the readout, {f'the {found.over.value} over time' if found else 'summed over time'}"
        )

    def most_steps(self) -> int:
        """The time steps whose logits fit their type."""
        if self.network.readout.reading:
            return INT32[1]
        most = INT32[1] if self.logit_type() == "int32_t" else (1 << 63) - 1
        return min(INT32[1], most // max(1, *(abs(end) for end in self.readout_interval())))


def pixels(shape: Shape, body: Iterable[str]) -> list[str]:
    """`body` for every pixel (row, column)."""
    _, height, width = sides(shape)
    return [
        f"for (int32_t row = 0; row < {height}; row++) {{",
        f"    for (int32_t column = 0; column < {width}; column++) {{",
        *(f"        {line}" for line in body),
        "    }",
        "}",
    ]


def channels(shape: Shape, body: Iterable[str]) -> list[str]:
    """`body` for every channel c of the pixel (row, column); the neuron is i."""
    count, _, width = sides(shape)
    lines = [*body]
    place = f"const int32_t i = {pixel('row', 'column', width, count)} + c;"
    if prod(sides(shape)[1:]) == 1:
        place = "const int32_t i = c;"
    used = any("i]" in line or " i," in line for line in lines)
    return [
        f"for (int32_t c = 0; c < {count}; c++) {{",
        *([f"    {place}"] if used else ()),
        *(f"    {line}" for line in lines),
        "}",
    ]


def reading(
    plan: Plan, code: NeuronCode, population: str, step: str, constants: Constants
) -> list[str]:
    """What a neuron's step leaves in its logit, where the readout reads its state."""
    readout = plan.network.readout
    if readout.reading is None or readout.reading.population != population:
        return []
    bias = constants.add("readout_bias", readout.bias)
    kind = plan.logit_type()
    value = f"const {kind} logit = ({kind}){code.after[readout.reading.variable]} + {bias}[i];"
    if readout.reading.over is OverTime.LAST:
        return [value, "n->logits[i] = logit;"]
    return [
        value,
        f"n->logits[i] = (({step} == 0) || (logit > n->logits[i])) ? logit : n->logits[i];",
    ]


def recording(code: NeuronCode, step: str, population: str) -> list[str]:
    """What tells a check of a neuron's step."""
    after = ", ".join(code.after.values())
    return [f"RECORD({step}, {population}, i, spike, {after});"]
