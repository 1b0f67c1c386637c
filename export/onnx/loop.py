"""Loops: a Scan whose body is one time step of all populations that feed each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ValueInfoProto, helper

from arlif.core.network import Population, Projection, QuantizedNetwork
from arlif.core.steps import current
from export.onnx.interpreters import OnnxIntegerOps
from export.onnx.products import any_under, apply_projection
from export.onnx.symbols import INTEGER, Graph, Symbol, value_info

Axes = tuple[int | str, ...]


@dataclass(eq=False)
class LoopStep:
    """The body under way: one time step of the populations of a loop.

    What one of them sends to another after a delay, or an OR of it, waits in a scan state
    [delay, N, *shape], the latest first.
    """

    network: QuantizedNetwork
    loop: tuple[Population, ...]
    prefix: str
    inputs: list[ValueInfoProto] = field(default_factory=list)
    outputs: list[ValueInfoProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.body = Graph(f"{self.prefix}/step/", INTEGER)
        names = {p.name for p in self.loop}
        self.inner = [
            p for p in self.network.projections if p.source in names and p.target in names
        ]
        self.waits = {p.entering: 0 for p in self.inner}
        for p in self.inner:
            self.waits[p.entering] = max(self.waits[p.entering], p.delay)

    def carried(self, name: str, dtype: Any, axes: Axes) -> Symbol:
        """A value that the body takes from the step before; `carry` says what it leaves."""
        self.inputs.append(value_info(f"{self.body.prefix}{name}", dtype, axes))
        return self.body.symbol(f"{self.body.prefix}{name}")

    def carry(self, value: Symbol, name: str, dtype: Any, axes: Axes) -> Symbol:
        """A value that the body leaves, to the next step or to whoever reads all steps."""
        named = self.body.named(value, f"{self.body.prefix}{name}_next")
        self.outputs.append(value_info(named.name, dtype, axes))
        return named

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
    body = step.body
    names = (*(p.name for p in loop), *step.waits)
    axes: dict[str, Axes] = {name: ("N", *network.shape(name)) for name in names}
    held = {
        p.name: [step.carried(f"{p.name}.{v}", INTEGER, axes[p.name]) for v in p.neuron.variables]
        for p in loop
    }
    past = {
        name: step.carried(f"{name}.past", np.bool_, (waits, *axes[name]))
        for name, waits in step.waits.items()
        if waits
    }
    start = [
        zeros(graph, batch, (), network.shape(p.name), INTEGER) for p in loop for _ in held[p.name]
    ]
    start += [zeros(graph, batch, (step.waits[n],), network.shape(n), np.bool_) for n in past]
    given = {name: step.carried(f"{name}.outer", INTEGER, axes[name]) for name in outer}
    step.carried("clock", INTEGER, ())
    sent: dict[str, Symbol] = {}
    for population in loop:
        name, neuron = population.name, population.neuron
        parts = [step.arriving(p, sent, past) for p in step.inner if p.target == name]
        parts += [given[name]] if name in given else []
        x = current(
            OnnxIntegerOps(body, neuron.state_format, population.gain_shift),
            sum(parts[1:], start=parts[0]),
            population.per_neuron(population.gain),
            population.per_neuron(population.bias),
        )
        ops = OnnxIntegerOps(body, neuron.state_format, neuron.factor_bits)
        sent[name], after = neuron.step(ops, neuron.state_type(*held[name]), x)
        held[name] = list(after)
        step.pool(name, sent)
    variables = [(p, variable) for p in loop for variable in p.neuron.variables]
    values = [value for p in loop for value in held[p.name]]
    after = [
        step.carry(value, f"{p.name}.{variable}", INTEGER, axes[p.name])
        for (p, variable), value in zip(variables, values, strict=True)
    ]
    for name, frames in past.items():
        now = body.node("Unsqueeze", sent[name], body.constant([0]))
        rest = body.node("Slice", frames, body.constant([0]), body.constant([step.waits[name] - 1]))
        kept = body.node("Concat", now, rest, axis=0)
        step.carry(kept, f"{name}.past", np.bool_, (step.waits[name], *axes[name]))
    for p in loop:
        step.carry(sent[p.name], f"{p.name}.spikes", np.bool_, axes[p.name])
    recorded = [f"{p.name}.spikes" for p in loop]
    for (p, variable), value in zip(variables, after, strict=True) if states else ():
        step.carry(value, f"{p.name}.{variable}_trace", INTEGER, axes[p.name])
        recorded.append(f"{p.name}.{variable}")
    finals = [f"{body.prefix}final_{index}" for index in range(len(start))]
    graph.nodes.append(
        helper.make_node(
            "Scan",
            [s.name for s in (*start, *outer.values(), clock)],
            finals + recorded,
            name=step.prefix,
            body=body.proto(step.inputs, step.outputs),
            num_scan_inputs=len(outer) + 1,
        )
    )
    return {value: graph.symbol(value) for value in recorded}


def zeros(
    graph: Graph, batch: Symbol, lead: tuple[int, ...], shape: tuple[int, ...], dtype: Any
) -> Symbol:
    """Zeros [*lead, N, *shape]."""
    parts = [graph.constant(list(lead), np.int64)] if lead else []
    whole = graph.node("Concat", *parts, batch, graph.constant(list(shape), np.int64), axis=0)
    zero = helper.make_tensor("zero", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [1], [0])
    return graph.node("ConstantOfShape", whole, value=zero)
