"""Counts the operations of simulations of one network; see hw_sim.energy.counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.cut import cut
from arlif.base.errors import require
from arlif.core.network import (
    INPUT,
    READOUT,
    OverTime,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.energy.connections import (
    Counts,
    fan_out,
    nominal_connections,
    stored_weights,
    windows_over,
)
from hw_sim.energy.counts import LayerCounts, NetworkCounts, PerSample, ProjectionCounts
from hw_sim.energy.neuron_titles import neuron_title
from hw_sim.energy.operations import Operation, OperationKind, UpdateCost, update_cost
from hw_sim.engines.simulation import Simulation, count_type


class OperationCounter:
    """A network with what its connections and updates cost; use it for many batches.

    Raises ArlifError where a cost is unknown.
    """

    def __init__(self, network: QuantizedNetwork) -> None:
        self.network = network
        names = [*(p.name for p in network.populations), READOUT]
        self.bits = {name: network.accumulator_bits(name) for name in names}
        self.titles = {p.name: neuron_title(p.neuron) for p in network.populations}
        self.updates = {p.name: update_cost(p, self.bits[p.name]) for p in network.populations}
        self.routes = {
            name: [_Route.of(network, p) for p in network.incoming(name)] for name in names
        }
        self.windows = {n: windows_over(network, pooled) for n, pooled in network.ors.items()}
        self.ors: dict[str, list[str]] = {name: [] for name in names}
        for pooled in network.ors:
            first = next(n for n in names if any(pooled in _names(p) for p in network.incoming(n)))
            self.ors[first].append(pooled)

    def count(self, inputs: NDArray[Any], simulation: Simulation, time_steps: int) -> NetworkCounts:
        """Count the operations of a simulation.

        inputs: what the engine was given. simulation: what it returned; traces are not needed.
        Raises ArlifError where they do not belong together.
        """
        names = (*(p.name for p in self.network.populations), *self.network.ors)
        entered = input_events(self.network, inputs, time_steps)
        events: dict[str, NDArray[Any]] = {INPUT: entered, **simulation.counts}
        missing = [name for name in names if name not in events]
        samples = {len(sent) for sent in events.values()}
        require(
            not missing and len(samples) == 1 and samples != {0},
            "the simulation does not count the spikes of every population, and of every OR, over "
            "as many samples as there are inputs, at least 1; simulate this network on these "
            "inputs again",
        )
        return self._count(events, time_steps, time_steps)

    def count_steps(
        self, inputs: NDArray[Any], simulation: Simulation
    ) -> tuple[NetworkCounts, ...]:
        """Count each time step by itself, for the samples whose spikes were recorded.

        inputs: the raw inputs of at least these samples.
        Raises ArlifError where the spikes of a population were not recorded.
        """
        names = [p.name for p in self.network.populations]
        require(
            bool(names) and all(name in simulation.traces for name in names),
            "the spikes of some populations were not recorded; simulate with traces",
        )
        spikes = {name: simulation.traces[name].spikes for name in names}
        steps, samples = spikes[names[0]].shape[:2]
        frames = input_frames(self.network, inputs, steps)[:, :samples]
        sent: dict[str, NDArray[Any]] = {INPUT: frames, **spikes}
        for name, pooled in self.network.ors.items():
            sent[name] = pooled(sent[pooled.source])
        return tuple(
            self._count({name: events[step] for name, events in sent.items()}, 1, steps)
            for step in range(steps)
        )

    def _count(
        self, found: Mapping[str, NDArray[Any]], time_steps: int, summed: int
    ) -> NetworkCounts:
        """Count the events of `time_steps` steps, `summed` by the readout in the end."""
        events = {name: of.reshape(len(of), -1) for name, of in found.items()}
        sent = {name: _per_sample(of) for name, of in events.items()}
        layers = [
            self._population(node, events, sent, time_steps) for node in self.network.populations
        ]
        if not self._is_state():
            layers.append(self._readout(events, sent, time_steps, summed))
        return NetworkCounts(tuple(layers), time_steps)

    def _is_state(self) -> bool:
        """Whether the readout is the last state of a population, for which nothing is done."""
        reading = self.network.readout.reading
        return reading is not None and reading.over is OverTime.LAST

    def _population(
        self,
        node: Population,
        events: Mapping[str, NDArray[Any]],
        sent: Mapping[str, PerSample],
        time_steps: int,
    ) -> LayerCounts:
        return LayerCounts(
            node.name,
            self.titles[node.name],
            int(np.prod(node.shape)),
            node.shape[0],
            time_steps,
            node.neuron.state_format.bits,
            self.bits[node.name],
            self.updates[node.name],
            sent[node.name],
            self._incoming(node.name, events, sent),
            self._bits_set(node.name, events),
        )

    def _readout(
        self,
        events: Mapping[str, NDArray[Any]],
        sent: Mapping[str, PerSample],
        time_steps: int,
        summed: int,
    ) -> LayerCounts:
        bits, classes = self.bits[READOUT], self.network.readout.shape[0]
        reading = self.network.readout.reading
        if reading is None:
            state_bits = bits + summed.bit_length()
            update = UpdateCost(
                {
                    Operation(OperationKind.ADD, bits): 1,
                    Operation(OperationKind.ADD, state_bits): 1,
                },
                ("sum",),
            )
        else:
            read = next(p for p in self.network.populations if p.name == reading.population)
            state_bits = read.neuron.state_format.bits
            kinds = (OperationKind.COMPARE, OperationKind.SELECT)
            update = UpdateCost({Operation(kind, state_bits): 1 for kind in kinds}, ("largest",))
        return LayerCounts(
            READOUT,
            Readout.__name__,
            classes,
            classes,
            time_steps,
            state_bits,
            bits,
            update,
            np.zeros(len(events[INPUT]), np.int64),
            self._incoming(READOUT, events, sent),
            self._bits_set(READOUT, events),
        )

    def _incoming(
        self, name: str, events: Mapping[str, NDArray[Any]], sent: Mapping[str, PerSample]
    ) -> tuple[ProjectionCounts, ...]:
        routes = ((route, route.projection.entering) for route in self.routes[name])
        return tuple(route.count(events[source], sent[source]) for route, source in routes)

    def _bits_set(self, name: str, events: Mapping[str, NDArray[Any]]) -> PerSample:
        total = np.zeros(len(events[INPUT]), np.int64)
        for pooled in self.ors[name]:
            read = events[self.network.ors[pooled].source]
            total += synaptic_operations(self.windows[pooled], read)
        return total


def _names(projection: Projection) -> list[str]:
    return [pooled.name for pooled in projection.ors]


def count(
    network: QuantizedNetwork, inputs: NDArray[Any], simulation: Simulation, time_steps: int
) -> NetworkCounts:
    """Count the operations of one simulation; see OperationCounter."""
    return OperationCounter(network).count(inputs, simulation, time_steps)


CHUNK = 1 << 16
"""Events that are widened to 64 bits at a time: 512 KiB stay in a cache."""
EXACT = 1 << 53
"""Integers up to this are exact in float64, whose products are faster than those of int64."""


def synaptic_operations(connections: Counts, events: NDArray[Any]) -> PerSample:
    """Synaptic operations of events [N, *shape], given the fan-out [*shape]: int64 [N]."""
    flat, leaving = events.reshape(len(events), -1), connections.ravel()
    wide = np.float64 if _most(flat) * int(leaving.sum()) <= EXACT else np.int64
    factors = leaving.astype(wide)
    rows = max(1, CHUNK // leaving.size)
    operations = np.empty(len(flat), np.int64)
    for chunk in cut(len(flat), rows):
        operations[chunk] = flat[chunk].astype(wide) @ factors
    return operations


def input_frames(
    network: QuantizedNetwork, inputs: NDArray[Any], time_steps: int
) -> NDArray[np.bool_]:
    """Where the input sends an event, step by step, bool [T, N, *shape]; an image at every step."""
    sent = inputs != 0
    return np.broadcast_to(sent, (time_steps, *sent.shape)) if network.input.static else sent


def input_events(
    network: QuantizedNetwork, inputs: NDArray[Any], time_steps: int
) -> NDArray[np.integer]:
    """Events per input element and inference, [N, *shape]."""
    return input_frames(network, inputs, time_steps).sum(0, dtype=count_type(time_steps))


@dataclass(frozen=True, eq=False)
class _Route:
    """A projection with what never changes about it; see ProjectionCounts."""

    projection: Projection
    graded: bool
    fan_out: Counts
    connections: int
    nominal: int

    @classmethod
    def of(cls, network: QuantizedNetwork, projection: Projection) -> "_Route":
        low, high = network.source_interval(projection.entering)
        graded = (low < 0 or high > 1) and bool(stored_weights(projection))
        leaving = np.ascontiguousarray(fan_out(network, projection))
        nominal = nominal_connections(network, projection)
        return cls(projection, graded, leaving, int(leaving.sum()), nominal)

    def count(self, events: NDArray[Any], sent: PerSample) -> ProjectionCounts:
        """sent: the sum of the events of each sample."""
        return ProjectionCounts(
            self.projection,
            self.graded,
            self.fan_out.size,
            self.connections,
            self.nominal,
            sent,
            synaptic_operations(self.fan_out, events),
        )


def _per_sample(events: NDArray[Any]) -> PerSample:
    flat = events.reshape(len(events), -1)
    wide = np.uint32 if _most(flat) * flat.shape[1] < 1 << 32 else np.int64  # the first is faster
    return flat.sum(1, dtype=wide).astype(np.int64)


def _most(events: NDArray[Any]) -> int:
    """What no number of events is above, whatever it is."""
    return 1 if events.dtype == np.bool_ else int(np.iinfo(events.dtype).max)
