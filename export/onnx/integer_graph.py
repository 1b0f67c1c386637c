"""write_onnx: a QuantizedNetwork as an integer ONNX graph that gives the same bits."""

import json
from typing import Any

import numpy as np

from arlif.base.files import StrPath
from arlif.core.network import (
    INPUT,
    NUMERICS_VERSION,
    READOUT,
    OverTime,
    Population,
    Projection,
    QuantizedNetwork,
)
from arlif.core.steps import current
from export.onnx.file import save_model
from export.onnx.interpreters import OnnxIntegerOps
from export.onnx.loop import scan_loop
from export.onnx.products import any_under, apply_projection
from export.onnx.scan import scan_step, zeros
from export.onnx.symbols import INTEGER, Graph, Symbol, value_info

TIME_STEPS = "time_steps"
SPIKES = ".spikes"


def write_onnx(network: QuantizedNetwork, path: StrPath, states: bool = False) -> None:
    """Write the integer graph of a network; batch N and time T stay dynamic.

    Inputs: `input`, raw int8, [N, *shape] with an int64 scalar `time_steps` for a static input,
    else [T, N, *shape]. Outputs: `readout`, int64 [N, classes], summed over time, and for every
    population <p>: `<p>.spikes`, bool [T, N, *shape], with `states` also `<p>.<variable>`, int64.
    An OR of spikes has such an output too, called by the network's name of it.
    The input range, scales and the numerics version are in the file's metadata.
    Raises ArlifError where the file cannot be written.
    """
    trace = _Trace(network)
    for part in network.loops:
        if network.chunk(part) is None:
            trace.run_population(part[0], states)
        else:
            trace.run_loop(part, states)
    trace.graph.named(trace.readout(), READOUT)
    frame: tuple[int | str, ...] = ("N", *network.input.shape)
    static = network.input.static
    inputs = [value_info(INPUT, np.int8, frame if static else ("T", *frame))]
    if static:
        inputs.append(value_info(TIME_STEPS, np.int64, ()))
    outputs = [value_info(READOUT, INTEGER, ("N", *network.readout.shape))] + [
        value_info(name, dtype, ("T", "N", *shape)) for name, dtype, shape in trace.recorded
    ]
    save_model(trace.graph.proto(inputs, outputs), (), _metadata(network), path)


class _Trace:
    """The graph of a network under way: what each node sends, and whether it varies over time."""

    def __init__(self, network: QuantizedNetwork) -> None:
        self.network = network
        self.graph = Graph("network/", INTEGER)
        self.sent = {INPUT: self.graph.symbol(INPUT)}
        self.recorded: list[tuple[str, Any, tuple[int, ...]]] = []
        self.read: Symbol | None = None
        if network.input.static:
            steps = self.graph.symbol(TIME_STEPS)
        else:
            shape = self.graph.node("Shape", self.sent[INPUT])
            steps = self.graph.node("Gather", shape, self.graph.constant(0))
        self.time = self.graph.node("Reshape", steps, [1])
        axis = self.graph.constant([network.input.sample_axis])
        self.batch = self.graph.node("Gather", self.graph.node("Shape", self.sent[INPUT]), axis)
        self._pool(INPUT)

    def readout(self) -> Symbol:
        """Append the readout."""
        readout, incoming = self.network.readout, self.network.incoming(READOUT)
        bias, reading = readout.bias.astype(INTEGER), readout.reading
        if reading is None:
            sums = self.over_time(self.accumulate(READOUT, incoming) + bias, incoming)
            return self.graph.node("ReduceSum", sums, [0], keepdims=0)
        assert self.read is not None, "the population that is read was run"
        if reading.over is OverTime.LAST:
            return self.graph.node("Gather", self.read, self.graph.constant(-1), axis=0) + bias
        return self.graph.node("ReduceMax", self.read, axes=[0], keepdims=0) + bias

    def run_population(self, population: Population, states: bool) -> None:
        """Append a population: its current over all time steps at once, then the Scan."""
        name, neuron = population.name, population.neuron
        incoming = self.network.incoming(name)
        x = current(
            OnnxIntegerOps(self.graph, neuron.state_format, population.gain_shift),
            self.accumulate(name, incoming),
            population.per_neuron(population.gain),
            population.per_neuron(population.bias),
        )
        values = scan_step(
            self.graph,
            name,
            self.over_time(x, incoming),
            population.shape,
            neuron.state_type,
            lambda body, state, x: neuron.step(
                OnnxIntegerOps(body, neuron.state_format, neuron.factor_bits), state, x
            ),
            np.bool_,
            states or self._is_read(population),
        )
        self._keep(population, values, states)

    def run_loop(self, loop: tuple[Population, ...], states: bool) -> None:
        """Append populations that feed each other: one Scan, step by step."""
        names = [p.name for p in loop]
        outer = {}
        for name in names:
            incoming = tuple(p for p in self.network.incoming(name) if p.source not in names)
            if incoming:
                outer[name] = self.over_time(self.accumulate(name, incoming), incoming)
        clock = self.graph.node("Expand", self.graph.constant([0]), self.time)
        kept = states or any(map(self._is_read, loop))
        values = scan_loop(self.graph, self.network, loop, outer, clock, self.batch, kept)
        for population in loop:
            own = {v: values[v] for v in values if _is_of(v, population)}
            self._keep(population, own, states)

    def _is_read(self, population: Population) -> bool:
        """Whether the readout reads a state of it."""
        reading = self.network.readout.reading
        return reading is not None and reading.population == population.name

    def _keep(self, population: Population, values: dict[str, Symbol], states: bool) -> None:
        for value in values:
            dtype = np.bool_ if value.endswith(SPIKES) else INTEGER
            if states or value.endswith(SPIKES):
                self.recorded.append((value, dtype, population.shape))
        reading = self.network.readout.reading
        if reading is not None and self._is_read(population):
            self.read = values[f"{population.name}.{reading.variable}"]
        self.sent[population.name] = values[population.name + SPIKES]
        self._pool(population.name)

    def _pool(self, node: str) -> None:
        """Append every OR of what a node sends."""
        once = node == INPUT and self.network.input.static
        for pooled in self.network.ors_of(node):
            shape, to = (self.network.shape(n) for n in (pooled.source, pooled.name))
            frames = self.graph.node("Reshape", self.sent[pooled.source], [-1, *shape])
            found = any_under(self.graph, pooled.window, frames)
            time = [] if once else [self.time]
            whole = self._whole(*time, self.graph.constant([-1, *to]))
            self.sent[pooled.name] = self.graph.node("Reshape", found, whole)
            value = pooled.name + SPIKES
            self.recorded.append((value, np.bool_, to))
            self.graph.named(
                self._every_step(pooled.name) if once else self.sent[pooled.name], value
            )

    def _every_step(self, name: str) -> Symbol:
        """What is the same at every step, [N, *shape], over time."""
        ones = [1] * (1 + len(self.network.shape(name)))
        frame = self.graph.node("Unsqueeze", self.sent[name], [0])
        return self.graph.node("Expand", frame, self._whole(self.time, ones))

    def accumulate(self, target: str, incoming: tuple[Projection, ...]) -> Symbol:
        """What arrives at a node, [T, N, *shape], or [1, N, *shape] if only a frame feeds it."""
        terms = []
        for projection in incoming:
            shape = self.network.shape(projection.entering)
            merged = self.graph.node("Reshape", self._arriving(projection), [-1, *shape])
            interval = self.network.source_interval(projection.entering)
            term = apply_projection(self.graph, projection, merged, shape, interval)
            time = self.graph.constant([1]) if self._is_frame(projection) else self.time
            split = self.graph.node("Concat", time, [-1, *self.network.shape(target)], axis=0)
            terms.append(self.graph.node("Reshape", term, split))
        return sum(terms[1:], start=terms[0])

    def _arriving(self, projection: Projection) -> Symbol:
        """What a projection's source sent `delay` steps ago; nothing before the first."""
        name = projection.entering
        sent = self.sent[name]
        if projection.delay == 0:
            return sent
        shape = self.network.shape(name)
        if projection.source == INPUT and self.network.input.static:
            sent = self._every_step(name)
        dtype = np.int8 if name == INPUT else np.bool_
        nothing = zeros(self.graph, self.batch, (projection.delay,), shape, dtype)
        whole = self.graph.node("Concat", nothing, sent, axis=0)
        return self.graph.node("Slice", whole, [0], self.time)

    def over_time(self, x: Symbol, incoming: tuple[Projection, ...]) -> Symbol:
        """A value of a node, repeated T times where only a frame [1, N, ...] feeds it."""
        if not all(self._is_frame(projection) for projection in incoming):
            return x
        ones = [1] * (1 + len(self.network.shape(incoming[0].target)))
        return self.graph.node("Expand", x, self._whole(self.time, ones))

    def _whole(self, *parts: Any) -> Symbol:
        """A shape from its parts."""
        return self.graph.node("Concat", *parts, axis=0)

    def _is_frame(self, projection: Projection) -> bool:
        """Whether every step brings the same."""
        return projection.source == INPUT and self.network.input.static and projection.delay == 0


def _is_of(value: str, population: Population) -> bool:
    return value.startswith(f"{population.name}.")


def _metadata(network: QuantizedNetwork) -> dict[str, str]:
    """What the graph alone does not say, as JSON values."""
    source = network.input
    return {
        "numerics_version": json.dumps(NUMERICS_VERSION),
        "input_scale": json.dumps(source.scale),
        "input_low": json.dumps(source.low),
        "input_high": json.dumps(source.high),
        "input_static": json.dumps(source.static),
        "readout_scale": json.dumps(network.readout.scale),
        "time_steps": json.dumps(network.time_steps),
    }
