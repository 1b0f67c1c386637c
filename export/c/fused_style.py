"""The fused style: layer by layer, all time steps of a neuron at once.

States live in registers, and what remains of a neuron is its spike train of T bits. It takes static
inputs, no loops and no delays, and T of at most 32.
"""

from math import prod

from arlif.base.errors import NetworkError, require
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.nodes import Population, Projection
from export.c.adding import Adding
from export.c.neuron_code import NeuronCode, neuron_code
from export.c.patches import HELPERS, Patch, patch
from export.c.program import Plan, Program, channels, pixels, reading, recording
from export.c.spike_trains import Trains

MOST_STEPS = 32


def fused_program(network: QuantizedNetwork, struct: str) -> Program:
    """The program of a network. Raises NetworkError where this style cannot run it."""
    delayed = [str(p) for p in network.projections if p.delay]
    require(
        network.input.static and not delayed and network.time_steps <= MOST_STEPS,
        f"the fused style takes static inputs, no delays and at most {MOST_STEPS} time steps; this "
        f"network has {'a static' if network.input.static else 'a streamed'} input, "
        f"{len(delayed)} projections with a delay and {network.time_steps} time steps: use "
        "--style dense",
        NetworkError,
    )
    return _Fused(Plan(network), Program(), f"{struct} *n").written()


class _Fused:
    """A program under way."""

    def __init__(self, plan: Plan, program: Program, argument: str) -> None:
        self.plan, self.program, self.argument = plan, program, argument
        self.network, self.trains = plan.network, Trains(plan.network.time_steps)
        self.adding = Adding(plan, program)

    def written(self) -> Program:
        """The whole."""
        network, program = self.network, self.program
        program.keep("int8_t", INPUT, prod(network.input.shape), "the input, in its raw range")
        for target in self.plan.targets:
            self._target(target)
        classes = network.readout.shape[0]
        program.keep(self.plan.logit_type(), "logits", classes, self.plan.logit_words)
        self.adding.close()
        program.functions = _with_helpers({**self.trains.functions(), **HELPERS}, program.functions)
        return program

    def _target(self, name: str) -> None:
        """All steps of a node."""
        label, shape = self.plan.label(name), self.network.shape(name)
        population = next((p for p in self.network.populations if p.name == name), None)
        code = None
        if population:
            ranges = self.plan.ranges(name)
            code = neuron_code(population, ranges, self.program.constants, label)
            count = self.trains.count(prod(shape))
            self.program.keep(self.trains.kind, f"trains_{label}", count, "spikes, T bits each")
        reads = code is None or code.reads_current
        static, moving = (self.plan.incoming(name, s) if reads else [] for s in (True, False))
        stages, adds = self.adding.of(static, self.plan.sum_type(name))
        patches = [self._patch(label, projection) for projection in moving]
        before = []
        if static:
            kind = self.plan.sum_type(name)
            self.adding.scratch(label, kind, "sums", shape[0])
            before = [
                f"{kind} *const sums = n->scratch.{label}.sums;",
                *channels(shape, ["sums[c] = 0;"]),
                *adds,
            ]
        for each in patches:
            at, source = self._place(label, each), self._source(moving, each)
            weights = each.weight_array(self.program.constants)
            before += [
                f"fill{each.number}({at}, {source}, row, column);",
                f"const int8_t *weights{each.number} = {weights};",
            ]
            if each.weights.groups > 1:
                before += [
                    f"const uint32_t *part{each.number} = {at};",
                    f"int32_t output{each.number} = 0;",
                ]
        body = self._all_steps(label, bool(static), patches)
        body += self._neuron(population, code, bool(moving)) if population and code else self._add()
        for each in patches:
            body += self._next(each)
        lines = [*stages, *pixels(shape, [*before, *channels(shape, body)])]
        self.program.function(f"fuse_{label}({self.argument})", lines)
        self.program.run.append(f"fuse_{label}(n);")

    def _patch(self, label: str, projection: Projection) -> Patch:
        shape = self.network.shape(projection.source)
        found = patch(self.plan.number(projection), projection, shape, self.trains)
        self.adding.scratch(label, "uint32_t", f"patch{found.number}", found.length)
        self.program.functions += found.functions()
        return found

    def _place(self, label: str, each: Patch) -> str:
        return f"n->scratch.{label}.patch{each.number}"

    def _source(self, moving: list[Projection], each: Patch) -> str:
        projection = next(p for p in moving if self.plan.number(p) == each.number)
        return f"n->trains_{self.plan.label(projection.source)}"

    def _all_steps(self, label: str, static: bool, patches: list[Patch]) -> list[str]:
        """The sums of every step of one output channel."""
        if not patches:
            return ["const int32_t sum = sums[c];"] if static else []
        first = "sums[c]" if static else "0"
        steps = self.network.time_steps
        lines = [f"int32_t totals[{steps}] = {{{', '.join([first] * steps)}}};"]
        for each in patches:
            part = f"part{each.number}" if each.weights.groups > 1 else self._place(label, each)
            lines.append(f"dot{each.number}(totals, {part}, weights{each.number});")
        return lines

    def _next(self, each: Patch) -> list[str]:
        """On to the weights, and perhaps the group, of the next output channel."""
        number, groups = each.number, each.weights.groups
        lines = [f"weights{number} += {each.taps};"]
        if groups > 1:
            share = each.weights.weight.shape[0] // groups
            lines += [
                f"output{number}++;",
                f"if (output{number} == {share}) {{",
                f"    output{number} = 0;",
                f"    part{number} += {each.taps * self.trains.words};",
                "}",
            ]
        return lines

    def _neuron(self, population: Population, code: NeuronCode, moving: bool) -> list[str]:
        """All steps of one neuron."""
        label = self.plan.label(population.name)
        step = [*code.step, f"const int32_t spike = {code.spike};"]
        step += reading(self.plan, code, population.name, "t", self.program.constants)
        step += recording(code, "t", label.removeprefix("p"))
        step += ["train |= (uint32_t)spike << t;"]
        step += [f"const int32_t {state}_after = {code.after[state]};" for state in code.before]
        step += [f"{state}_ = {state}_after;" for state in code.before]
        current = list(code.current) if code.reads_current else []
        if moving and current:
            step = ["const int32_t sum = totals[t];", *current, *step]
            current = []
        return [
            *current,
            *(f"int32_t {state}_ = 0;" for state in code.before),
            "uint32_t train = 0;",
            f"for (int32_t t = 0; t < {self.network.time_steps}; t++) {{",
            *(f"    {line}" for line in step),
            "}",
            f"keep(n->trains_{label}, i, train);",
        ]

    def _add(self) -> list[str]:
        """One class's readout, all steps."""
        bias = self.program.constants.add("readout_bias", self.network.readout.bias)
        kind = self.plan.logit_type()
        what = "totals[t]" if self.plan.incoming(READOUT, static=False) else "sum"
        return [
            f"for (int32_t t = 0; t < {self.network.time_steps}; t++) {{",
            f"    n->logits[c] += ({kind}){what} + {bias}[c];",
            "}",
        ]


def _with_helpers(helpers: dict[str, list[str]], lines: list[str]) -> list[str]:
    """The lines behind those functions that they call."""
    for name in reversed(helpers):
        if any(f"{name}(" in line for line in lines):
            lines = [*helpers[name], *lines]
    return lines
