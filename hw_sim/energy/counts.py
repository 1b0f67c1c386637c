"""Operations of a simulated network, layer by layer: the one count behind every energy figure.

An event is a value other than 0 that a source sends in one time step; it makes one synaptic
operation on each of its connections (hw_sim.energy.connections). A spike's operation is an
accumulate. A graded input value's (pixels, event counts) is a multiply-accumulate; a static image
is sent at every time step. Every neuron is updated at every time step. That an engine computes
what repeats only once changes no count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import (
    INPUT,
    READOUT,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.errors import require
from hw_sim.energy.connections import Counts, fan_out, nominal_connections
from hw_sim.energy.operations import Kind, Operation, Update, update
from hw_sim.simulation import Simulation

PerSample = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ProjectionCounts:
    """What travelled along one projection, per inference.

    events, operations: int64 [N]. graded: operations are multiply-accumulates, else accumulates.
    connections: exact number. nominal: with windows full everywhere, as the literature counts.
    """

    projection: Projection
    graded: bool
    sources: int
    connections: int
    nominal: int
    events: PerSample
    operations: PerSample


@dataclass(frozen=True, eq=False)
class LayerCounts:
    """A population, or the readout, with everything that arrives at it, per inference.

    neuron: name of the neuron type, Readout for the readout. spikes: int64 [N], sent.
    update: cost of one neuron update.
    """

    name: str
    neuron: str
    neurons: int
    channels: int
    time_steps: int
    state_bits: int
    accumulator_bits: int
    update: Update
    spikes: PerSample
    incoming: tuple[ProjectionCounts, ...]

    @property
    def is_readout(self) -> bool:
        """Whether these are the readout's sums, which never spike."""
        return self.name == READOUT

    @property
    def updates(self) -> int:
        """Neuron updates: every neuron, every time step."""
        return self.neurons * self.time_steps

    @property
    def rate(self) -> float:
        """Spikes per neuron and time step, mean over samples."""
        return float(self.spikes.mean() / self.updates)

    @property
    def accumulates(self) -> PerSample:
        """Synaptic operations of spikes, [N]."""
        return self._operations(graded=False)

    @property
    def multiply_accumulates(self) -> PerSample:
        """Synaptic operations of graded inputs, [N]."""
        return self._operations(graded=True)

    @property
    def synaptic_operations(self) -> PerSample:
        """All synaptic operations, [N]."""
        return self.accumulates + self.multiply_accumulates

    @property
    def neuron_operations(self) -> dict[Operation, int]:
        """Operations of all neuron updates together."""
        return {op: n * self.updates for op, n in self.update.operations.items()}

    def _operations(self, graded: bool) -> PerSample:
        parts = [p.operations for p in self.incoming if p.graded == graded]
        return np.sum(parts, axis=0, dtype=np.int64) if parts else np.zeros_like(self.spikes)


@dataclass(frozen=True, eq=False)
class NetworkCounts:
    """All layers of a network over one set of samples."""

    layers: tuple[LayerCounts, ...]
    time_steps: int

    @property
    def samples(self) -> int:
        """N"""
        return self.layers[0].spikes.size

    @property
    def accumulates(self) -> PerSample:
        """Accumulates per inference, [N]."""
        return np.sum([layer.accumulates for layer in self.layers], axis=0)

    @property
    def multiply_accumulates(self) -> PerSample:
        """Multiply-accumulates per inference, [N]."""
        return np.sum([layer.multiply_accumulates for layer in self.layers], axis=0)

    @property
    def synaptic_operations(self) -> PerSample:
        """All synaptic operations per inference, [N]."""
        return self.accumulates + self.multiply_accumulates

    @property
    def updates(self) -> int:
        """Updates of spiking neurons per inference."""
        return sum(layer.updates for layer in self.layers if not layer.is_readout)


def count(
    network: QuantizedNetwork, inputs: NDArray[Any], simulation: Simulation, time_steps: int
) -> NetworkCounts:
    """Count the operations of a simulation.

    inputs: what the engine was given. simulation: what it returned; traces are not needed.
    Raises ArlifError where they do not belong together or a cost is unknown.
    """
    entered = input_events(network, inputs, time_steps)
    events: dict[str, NDArray[Any]] = {INPUT: entered, **simulation.counts}
    missing = [p.name for p in network.populations if p.name not in events]
    samples = {len(sent) for sent in events.values()}
    require(
        not missing and len(samples) == 1 and samples != {0},
        "the simulation does not count the spikes of every population over as many samples as "
        "there are inputs, at least 1; simulate this network on these inputs again",
    )
    nodes: tuple[Population | Readout, ...] = (*network.populations, network.readout)
    return NetworkCounts(
        tuple(_layer(network, node, events, time_steps) for node in nodes), time_steps
    )


def synaptic_operations(connections: Counts, events: NDArray[Any]) -> NDArray[np.int64]:
    """Synaptic operations of events [..., *shape], given the fan-out [*shape]: int64 [...]."""
    flat = events.reshape(*events.shape[: events.ndim - connections.ndim], -1)
    return flat.astype(np.int64) @ connections.ravel()


def input_frames(
    network: QuantizedNetwork, inputs: NDArray[Any], time_steps: int
) -> NDArray[np.bool_]:
    """Where the input sends an event, step by step, bool [T, N, *shape]; an image at every step."""
    sent = inputs != 0
    return np.broadcast_to(sent, (time_steps, *sent.shape)) if network.input.static else sent


def input_events(
    network: QuantizedNetwork, inputs: NDArray[Any], time_steps: int
) -> NDArray[np.int64]:
    """Events per input element and inference, int64 [N, *shape]."""
    return input_frames(network, inputs, time_steps).sum(0, dtype=np.int64)


def _layer(
    network: QuantizedNetwork,
    node: Population | Readout,
    events: Mapping[str, NDArray[Any]],
    time_steps: int,
) -> LayerCounts:
    bits = network.accumulator_bits(node.name)
    incoming = tuple(
        _projection(network, projection, events[projection.source])
        for projection in network.incoming(node.name)
    )
    neurons = int(np.prod(node.shape))
    samples = len(events[INPUT])
    if isinstance(node, Readout):
        state_bits = bits + time_steps.bit_length()
        cost = Update({Operation(Kind.ADD, bits): 1, Operation(Kind.ADD, state_bits): 1}, ("sum",))
        sent, neuron = np.zeros(samples, np.int64), Readout.__name__
    else:
        cost = update(node, bits)
        sent = events[node.name].reshape(samples, -1).sum(1, dtype=np.int64)
        neuron, state_bits = type(node.neuron).__name__, node.neuron.state_format.bits
    return LayerCounts(
        node.name,
        neuron,
        neurons,
        node.shape[0],
        time_steps,
        state_bits,
        bits,
        cost,
        sent,
        incoming,
    )


def _projection(
    network: QuantizedNetwork, projection: Projection, events: NDArray[Any]
) -> ProjectionCounts:
    low, high = network.source_interval(projection.source)
    connections = fan_out(network, projection)
    return ProjectionCounts(
        projection,
        graded=low < 0 or high > 1,
        sources=connections.size,
        connections=int(connections.sum()),
        nominal=nominal_connections(network, projection),
        events=events.reshape(len(events), -1).sum(1, dtype=np.int64),
        operations=synaptic_operations(connections, events),
    )
