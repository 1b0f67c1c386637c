"""Loops: a Scan whose body is one time step of all populations that feed each other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from arlif.core.network import Population, Projection, QuantizedNetwork
from arlif.core.steps import current
from export.onnx.interpreters import OnnxIntegerOps
from export.onnx.products import any_under, apply_projection
from export.onnx.scan import Axes, Body, zeros
from export.onnx.symbols import INTEGER, Graph, Symbol


@dataclass(eq=False)
class LoopStep:
    """One time step of the populations of a loop, as nodes of the graph `body`.

    What one of them sends to another after a delay, or an OR of it, waits in a scan state
    [delay, N, *shape], the latest first.
    """

    network: QuantizedNetwork
    loop: tuple[Population, ...]
    prefix: str

    def __post_init__(self) -> None:
        self.body = Graph(f"{self.prefix}/step/", INTEGER)
        names = {p.name for p in self.loop}
        self.inner = [
            p for p in self.network.projections if p.source in names and p.target in names
        ]
        self.waits = {p.entering: 0 for p in self.inner}
        for p in self.inner:
            self.waits[p.entering] = max(self.waits[p.entering], p.delay)

    def arriving(
        self, projection: Projection, sent: Mapping[str, Symbol], past: Mapping[str, Symbol]
    ) -> Symbol:
        """What one projection adds to its target's accumulator, [N, *target]."""
        name = projection.entering
        frame = sent[name] if projection.delay == 0 else self._late(past[name], projection)
        interval = self.network.source_interval(name)
        shape = self.network.shape(name)
        return apply_projection(self.body, projection, frame, shape, interval)

    def pool(self, node: str, sent: dict[str, Symbol]) -> None:
        """Add every OR of what a node sends that the loop reads."""
        read = {pooled.name for p in self.inner for pooled in p.ors}
        for pooled in self.network.ors_of(node):
            if pooled.name in read:
                sent[pooled.name] = any_under(self.body, pooled.window, sent[pooled.source])

    def _late(self, past: Symbol, projection: Projection) -> Symbol:
        return self.body.node("Gather", past, projection.delay - 1, axis=0)


def scan_loop(
    graph: Graph,
    network: QuantizedNetwork,
    loop: tuple[Population, ...],
    outer: Mapping[str, Symbol],
    clock: Symbol,
    batch: Symbol,
    states: bool,
) -> dict[str, Symbol]:
    """Run a loop from zeros: <p>.spikes, [T, N, *shape], and with `states` <p>.<variable>.

    outer: what comes from outside the loop, by population, [T, N, *shape]. clock: int64 [T], of any
    values. batch: N, int64 [1].
    """
    step = LoopStep(network, loop, "+".join(p.name for p in loop))
    body = Body(step.body)
    names = (*(p.name for p in loop), *step.waits)
    axes: dict[str, Axes] = {name: ("N", *network.shape(name)) for name in names}
    held = {
        p.name: [body.take(f"{p.name}.{v}", axes[p.name], INTEGER) for v in p.neuron.variables]
        for p in loop
    }
    past = {
        name: body.take(f"{name}.past", (waits, *axes[name]), np.bool_)
        for name, waits in step.waits.items()
        if waits
    }
    start = [
        zeros(graph, batch, (), network.shape(p.name), INTEGER) for p in loop for _ in held[p.name]
    ]
    start += [zeros(graph, batch, (step.waits[n],), network.shape(n), np.bool_) for n in past]
    given = {name: body.take(f"{name}.outer", axes[name], INTEGER) for name in outer}
    body.take("clock", (), INTEGER)
    sent: dict[str, Symbol] = {}
    for population in loop:
        name, neuron = population.name, population.neuron
        parts = [step.arriving(p, sent, past) for p in step.inner if p.target == name]
        parts += [given[name]] if name in given else []
        x = current(
            OnnxIntegerOps(step.body, neuron.state_format, population.gain_shift),
            sum(parts[1:], start=parts[0]),
            population.per_neuron(population.gain),
            population.per_neuron(population.bias),
        )
        ops = OnnxIntegerOps(step.body, neuron.state_format, neuron.factor_bits)
        sent[name], after = neuron.step(ops, neuron.state_type(*held[name]), x)
        held[name] = list(after)
        step.pool(name, sent)
    variables = [(p, variable) for p in loop for variable in p.neuron.variables]
    values = [value for p in loop for value in held[p.name]]
    after = [
        body.leave(value, f"{p.name}.{variable}", axes[p.name], INTEGER)
        for (p, variable), value in zip(variables, values, strict=True)
    ]
    for name, frames in past.items():
        kept = body.waiting(sent[name], frames, step.waits[name])
        body.leave(kept, f"{name}.past", (step.waits[name], *axes[name]), np.bool_)
    for p in loop:
        body.leave(sent[p.name], f"{p.name}.spikes", axes[p.name], np.bool_)
    recorded = [f"{p.name}.spikes" for p in loop]
    for (p, variable), value in zip(variables, after, strict=True) if states else ():
        body.leave(value, f"{p.name}.{variable}_trace", axes[p.name], INTEGER)
        recorded.append(f"{p.name}.{variable}")
    body.run(graph, step.prefix, start, [*outer.values(), clock], recorded)
    return {value: graph.symbol(value) for value in recorded}
