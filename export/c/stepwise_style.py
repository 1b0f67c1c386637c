"""The styles dense and event: time step by time step, for every network.

A projection is gathered, so that every sum is formed in full and the number of instructions hardly
depends on the input, or scattered: what is sent is added to the target's sums at once.
"""

from collections.abc import Sequence
from math import prod

from arlif.core.maps import Shape
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.nodes import Population, Projection
from export.c.adding import Adding
from export.c.c_types import narrowest, pixel, sides
from export.c.events_at_once import Scatter
from export.c.neuron_code import NeuronCode, neuron_code
from export.c.program import Plan, Program, channels, pixels, reading, recording


def stepwise_program(
    network: QuantizedNetwork, struct: str, scattered: frozenset[int] = frozenset()
) -> Program:
    """The program of a network. struct: the name of its memory's type.

    scattered: the projections, by their place in the network, whose events are added at once; none
    of them has an obstacle (see export.c.events_at_once).
    """
    return _Stepwise(Plan(network), Program(), f"{struct} *n", scattered).written()


class _Stepwise:
    """A program under way."""

    def __init__(
        self, plan: Plan, program: Program, argument: str, scattered: frozenset[int]
    ) -> None:
        self.plan, self.program, self.argument = plan, program, argument
        self.network = plan.network
        self.adding = Adding(plan, program)
        self.codes = {p.name: self._code(p) for p in self.network.populations}
        current = {READOUT, *(name for name, code in self.codes.items() if code.reads_current)}
        self.scattered = {
            number for number in scattered if self.network.projections[number].target in current
        }

    def written(self) -> Program:
        """The whole."""
        network, program = self.network, self.program
        self._sent(INPUT, network.input.shape, "the input, within its raw range")
        for target in self.plan.targets:
            self._target(target)
        logits = self.plan.logit_type()
        classes = network.readout.shape[0]
        program.keep(logits, "logits", classes, self.plan.logit_words)
        program.fields.append("int32_t step; /* the steps that are done */")
        program.memory["step"] = 4
        self.adding.close()
        names = (INPUT, *(p.name for p in network.populations))
        for name in [name for name in names if self.adding.is_kept(name)]:
            now = f"n->now_{self.plan.label(name)}"
            last = self.plan.waits(name)
            program.step.append(f"{now} = (uint16_t)(({now} >= {last}) ? 0 : ({now} + 1));")
        if not network.input.static:
            self._frames()
        return program

    def _frames(self) -> None:
        """What a streamed input is: one place of a frame after another."""
        program, source = self.program, self.adding.source(INPUT)
        count, _, width = sides(self.network.input.shape)
        calls = self._scatters(INPUT)
        change = ["const int32_t change = within - now[i];"] if calls else []
        send = []
        if calls:
            kind = narrowest((0, count - 1))
            send = [
                "if (change != 0) {",
                f"    const {kind} sent[1] = {{({kind})c}};",
                *(f"    {call.format('sent, 1, change')}" for call in calls),
                "}",
            ]
        program.function(
            f"see({self.argument}, int32_t c, int32_t row, int32_t column, int32_t value)",
            [
                f"int8_t *const now = {source};",
                f"const int32_t i = {pixel('row', 'column', width, count)} + c;",
                "const int32_t within = clamped(value);",
                *change,
                "now[i] = (int8_t)within;",
                *send,
            ],
        )
        program.event += [
            f"const int32_t now = {source}[{pixel('y', 'x', width, count)} + c];",
            "see(n, c, y, x, now + value);",
        ]
        program.step += [
            f"int8_t *const next = {source};",
            f"for (int32_t k = 0; k < {prod(self.network.input.shape)}; k++) {{",
            "    next[k] = 0;",
            "}",
        ]

    def _is_scattered(self, projection: Projection) -> bool:
        return self.plan.number(projection) in self.scattered

    def _scatters(self, name: str) -> list[str]:
        """Calls that scatter what one pixel of a node sends; {} stands for what that is."""
        calls = []
        leaving = [p for p in self.network.projections if p.source == name]
        for projection in filter(self._is_scattered, leaving):
            number, target = self.plan.number(projection), projection.target
            self.program.functions += Scatter(
                f"scatter{number}",
                projection,
                self.network.shape(name),
                name == INPUT,
                self.plan.sum_type(target),
            ).lines(self.program.constants)
            sums = f"n->sums_{self.plan.label(target)}"
            calls.append(f"scatter{number}({sums}, {{}}, row, column);")
        return calls

    def _target(self, name: str) -> None:
        """What a node is asked for, once and at every step."""
        label, shape = self.plan.label(name), self.network.shape(name)
        kind, count = self.plan.sum_type(name), prod(shape)
        static, moving = (self.plan.incoming(name, s) for s in (True, False))
        gathered = [p for p in moving if not self._is_scattered(p)]
        if len(gathered) < len(moving):
            self.program.keep(kind, f"sums_{label}", count, "what was sent in this step")
        if static or len(gathered) == len(moving):
            self.adding.scratch(label, kind, "sums", shape[0])
        population = next((p for p in self.network.populations if p.name == name), None)
        code = self.codes[name] if population else None
        if population:
            self._keep(population)
        reads = code is None or code.reads_current
        held = code is not None and reads and not moving
        if code and held:
            reach = self.plan.ranges(name).neuron.x
            self.program.keep(
                narrowest(reach), f"current_{label}", count, "the current of every step"
            )
            lines = [
                "const int32_t sum = sums[c];",
                *code.current,
                f"n->current_{label}[i] = ({narrowest(reach)})x;",
            ]
            self._function(f"start_{label}", name, static, lines)
            self.program.start.append(f"start_{label}(n);")
        elif static and reads:
            self.program.keep(kind, f"base_{label}", count, "what the input adds at every step")
            lines = [f"n->base_{label}[i] = sums[c];"]
            if len(gathered) < len(moving):
                lines.append(f"n->sums_{label}[i] = sums[c];")
            self._function(f"start_{label}", name, static, lines)
            self.program.start.append(f"start_{label}(n);")
        base = f"n->base_{label}[i]" if static and not held else "0"
        body = self._update(population, code, held) if population and code else self._add()
        adds = gathered if reads and not held else []
        sent = self._sending(name) if population else []
        at_once = len(gathered) < len(moving)
        self._function(f"step_{label}", name, adds, body, base, at_once, sent)
        self.program.step.append(f"step_{label}(n);")

    def _sent(self, name: str, shape: Shape, what: str) -> None:
        """Memory of what a node sends."""
        label, waits = self.plan.label(name), self.plan.waits(name)
        field = label if name == INPUT else f"spikes_{label}"
        rows = waits + 1 if self.adding.is_kept(name) else 0
        self.program.keep(self.plan.value_type(name), field, prod(shape), what, rows)
        if rows:
            self.program.fields.append(f"uint16_t now_{label}; /* the latest of these */")
            self.program.memory[f"now_{label}"] = 2

    def _code(self, population: Population) -> NeuronCode:
        label, ranges = self.plan.label(population.name), self.plan.ranges(population.name)
        return neuron_code(population, ranges, self.program.constants, label)

    def _keep(self, population: Population) -> None:
        """Memory of states and spikes."""
        label, states = self.plan.label(population.name), self.plan.ranges(population.name).neuron
        for state in self.codes[population.name].before:
            kind = narrowest(states.states[state])
            self.program.keep(kind, f"{label}_{state}", prod(population.shape), f"state {state}")
        if self._is_buffered(population.name):
            self._sent(population.name, population.shape, "spikes")

    def _is_buffered(self, name: str) -> bool:
        """Whether a population's spikes are gathered, now or later, or go nowhere."""
        leaving = [p for p in self.network.projections if p.source == name]
        return not leaving or not all(self._is_scattered(p) for p in leaving)

    def _update(self, population: Population, code: NeuronCode, held: bool) -> list[str]:
        """One neuron's step."""
        label = self.plan.label(population.name)
        states = self.plan.ranges(population.name).neuron.states
        lines = [f"const int32_t {state}_ = n->{label}_{state}[i];" for state in code.before]
        if held:
            lines.append(f"const int32_t x = n->current_{label}[i];")
        elif code.reads_current:
            lines += ["const int32_t sum = sums[c];", *code.current]
        lines += [*code.step, f"const int32_t spike = {code.spike};"]
        lines += [
            f"n->{label}_{state}[i] = ({narrowest(states[state])}){code.after[state]};"
            for state in code.before
        ]
        lines.append(f"{self._spikes(population.name)} = (uint8_t)spike;")
        lines += reading(self.plan, code, population.name, "n->step", self.program.constants)
        return [*lines, *recording(code, "n->step", label.removeprefix("p"))]

    def _spikes(self, name: str) -> str:
        """Where a neuron's spike is put: into a buffer of all, or of one pixel."""
        if self._is_buffered(name):
            return f"{self.adding.source(name)}[i]"
        return f"n->scratch.{self.plan.label(name)}.fired[c]"

    def _sending(self, name: str) -> list[str]:
        """What scatters the spikes of one pixel."""
        calls, shape, label = self._scatters(name), self.network.shape(name), self.plan.label(name)
        if not calls:
            return []
        kind = narrowest((0, shape[0] - 1))
        self.adding.scratch(label, kind, "sent", shape[0])
        if not self._is_buffered(name):
            self.adding.scratch(label, "uint8_t", "fired", shape[0])
        sent = f"n->scratch.{label}.sent"
        return [
            "int32_t count = 0;",
            *channels(shape, [f"{sent}[count] = ({kind})c;", f"count += {self._spikes(name)};"]),
            "if (count > 0) {",
            *(f"    {call.format(f'{sent}, count')}" for call in calls),
            "}",
        ]

    def _add(self) -> list[str]:
        """One class's readout."""
        bias = self.program.constants.add("readout_bias", self.network.readout.bias)
        return [f"n->logits[c] += ({self.plan.logit_type()})sums[c] + {bias}[c];"]

    def _function(
        self,
        head: str,
        name: str,
        gathered: list[Projection],
        body: list[str],
        first: str = "0",
        at_once: bool = False,
        after: Sequence[str] = (),
    ) -> None:
        """A function that sums projections pixel by pixel and does `body` for every channel.

        first: what sums begin with. at_once: they hold what was scattered, and begin anew when they
        were read. after: what is done when all channels of a pixel are.
        """
        label, shape = self.plan.label(name), self.network.shape(name)
        count, _, width = sides(shape)
        kind = self.plan.sum_type(name)
        stages, adds = self.adding.of(gathered, kind)
        summing = []
        if at_once:
            place = f"&n->sums_{label}[{pixel('row', 'column', width, count)}]"
            summing = [f"{kind} *const sums = {place};", *adds]
            body = [*body, f"sums[c] = {first};"]
        elif any("sums[" in line for line in body):
            summing = [
                f"{kind} *const sums = n->scratch.{label}.sums;",
                *channels(shape, [f"sums[c] = {first};"]),
                *adds,
            ]
        lines = pixels(shape, [*summing, *channels(shape, body), *after])
        self.program.function(f"{head}({self.argument})", [*stages, *lines])
