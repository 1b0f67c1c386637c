"""Operations of a simulated network, layer by layer: the one count behind every energy figure.

An event is a value other than 0 that a source sends in one time step; it makes one synaptic
operation on each of its connections (hw_sim.energy.connections). A spike's operation is an
accumulate. A graded input value's (pixels, event counts) is a multiply-accumulate where it meets a
weight, an accumulate where a pool only adds it up; a static image is sent at every time step. Every
neuron is updated at every time step. That an engine computes what repeats only once changes no
count. Where projections read an OR of spikes (max pooling), its ones are the events; a spike sets a
bit in every window that it lies under, an operation of one bit, for the first layer that reads it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import READOUT, Projection
from hw_sim.energy.operations import Operation, UpdateCost

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
    update: cost of one neuron update. bits_set: int64 [N], in ORs.
    """

    name: str
    neuron: str
    neurons: int
    channels: int
    time_steps: int
    state_bits: int
    accumulator_bits: int
    update: UpdateCost
    spikes: PerSample
    incoming: tuple[ProjectionCounts, ...]
    bits_set: PerSample

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
        """Synaptic operations that only add, [N]."""
        return self._operations(graded=False)

    @property
    def multiply_accumulates(self) -> PerSample:
        """Synaptic operations that multiply a graded input by a weight, [N]."""
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
        """Updates of all layers per inference, the readout's sums included."""
        return sum(layer.updates for layer in self.layers)
