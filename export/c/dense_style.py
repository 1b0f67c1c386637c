"""The dense style: every sum is formed in full, time step by time step.

The number of instructions hardly depends on the input. It runs every network: streamed inputs,
delays and loops.
"""

from math import prod

from arlif.core.maps import Shape
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.core.nodes import Population, Projection
from export.c.adding import Adding
from export.c.c_types import narrowest
from export.c.neuron_code import NeuronCode, neuron_code
from export.c.program import Plan, Program, channels, pixels, recording


def dense_program(network: QuantizedNetwork, struct: str) -> Program:
    """The program of a network; struct: the name of its memory's type."""
    return _Dense(Plan(network), Program(), f"{struct} *n").written()


class _Dense:
    """A program under way."""

    def __init__(self, plan: Plan, program: Program, argument: str) -> None:
        self.plan, self.program, self.argument = plan, program, argument
        self.network = plan.network
        self.adding = Adding(plan, program)

    def written(self) -> Program:
        """The whole."""
        network, program = self.network, self.program
        self._sent(INPUT, network.input.shape, "the input, within its raw range")
        for target in self.plan.targets:
            self._target(target)
        logits = self.plan.logit_type()
        classes = network.readout.shape[0]
        program.keep(logits, "logits", classes, "the readout, summed over time")
        program.fields.append("int32_t step; /* the steps that are done */")
        program.memory["step"] = 4
        self.adding.close()
        names = (INPUT, *(p.name for p in network.populations))
        for name in [name for name in names if self.adding.is_kept(name)]:
            now = f"n->now_{self.plan.label(name)}"
            last = network.waits(name)
            program.step.append(f"{now} = (uint16_t)(({now} >= {last}) ? 0 : ({now} + 1));")
        return program

    def _sent(self, name: str, shape: Shape, what: str) -> None:
        """Memory of what a node sends."""
        label, waits = self.plan.label(name), self.network.waits(name)
        field = label if name == INPUT else f"spikes_{label}"
        rows = waits + 1 if self.adding.is_kept(name) else 0
        self.program.keep(self.plan.value_type(name), field, prod(shape), what, rows)
        if rows:
            self.program.fields.append(f"uint16_t now_{label}; /* the latest of these */")
            self.program.memory[f"now_{label}"] = 2

    def _target(self, name: str) -> None:
        """What a node is asked for, once and at every step."""
        label, shape = self.plan.label(name), self.network.shape(name)
        kind, count = self.plan.sum_type(name), prod(shape)
        self.adding.scratch(label, kind, "sums", shape[0])
        static, moving = (self.plan.incoming(name, s) for s in (True, False))
        population = next((p for p in self.network.populations if p.name == name), None)
        code = self._code(population) if population else None
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
            self._function(f"start_{label}", name, static, None, lines)
            self.program.start.append(f"start_{label}(n);")
        elif static and reads:
            self.program.keep(kind, f"base_{label}", count, "what the input adds at every step")
            self._function(f"start_{label}", name, static, None, [f"n->base_{label}[i] = sums[c];"])
            self.program.start.append(f"start_{label}(n);")
        base = f"n->base_{label}" if static and not held else None
        body = self._update(population, code, held) if population and code else self._add()
        adds = moving if reads and not held else []
        self._function(f"step_{label}", name, adds, base if reads else None, body)
        self.program.step.append(f"step_{label}(n);")

    def _code(self, population: Population) -> NeuronCode:
        label = self.plan.label(population.name)
        ranges = self.plan.ranges(population.name)
        code = neuron_code(population, ranges, self.program.constants, label)
        for state in code.before:
            kind = narrowest(ranges.neuron.states[state])
            self.program.keep(kind, f"{label}_{state}", prod(population.shape), f"state {state}")
        self._sent(population.name, population.shape, "spikes")
        return code

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
        lines.append(f"{self.adding.source(population.name)}[i] = (uint8_t)spike;")
        return [*lines, *recording(code, "n->step", label.removeprefix("p"))]

    def _add(self) -> list[str]:
        """One class's readout."""
        bias = self.program.constants.add("readout_bias", self.network.readout.bias)
        return [f"n->logits[c] += ({self.plan.logit_type()})sums[c] + {bias}[c];"]

    def _function(
        self,
        head: str,
        name: str,
        projections: list[Projection],
        base: str | None,
        body: list[str],
    ) -> None:
        """A function that sums projections pixel by pixel and does `body` for every channel."""
        label, shape = self.plan.label(name), self.network.shape(name)
        kind = self.plan.sum_type(name)
        stages, adds = self.adding.of(label, projections, kind)
        summing = []
        if any("sums[" in line for line in body):
            first = f"{base}[i]" if base else "0"
            summing = [
                f"{kind} *const sums = n->scratch.{label}.sums;",
                *channels(shape, [f"sums[c] = {first};"]),
                *adds,
            ]
        lines = pixels(shape, [*summing, *channels(shape, body)])
        self.program.function(f"{head}({self.argument})", [*stages, *lines])
