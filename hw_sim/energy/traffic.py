"""Memory traffic of a layer: which memory is accessed how often, how wide, how large it is."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hw_sim.energy.connections import stored_weights
from hw_sim.energy.counts import LayerCounts, PerSample
from hw_sim.energy.operations import GAIN_BITS, OperationKind


class Memory(Enum):
    """What is kept in memory."""

    WEIGHTS = "weights"
    ACCUMULATORS = "accumulators"
    STATES = "states"
    PARAMETERS = "gains and biases"
    TABLES = "tables"


@dataclass(frozen=True, eq=False)
class Traffic:
    """Accesses to one memory per inference: accesses [N], bits each, in a memory of size_bits."""

    memory: Memory
    accesses: PerSample
    bits: int
    size_bits: int


def traffic(layer: LayerCounts) -> tuple[Traffic, ...]:
    """Memory accesses of a layer.

    A synaptic operation reads the weight of every weighted map on its path, and reads and writes
    its accumulator. An update reads and clears the accumulator, reads gain and bias, reads and
    writes every state variable that the step uses, and reads its tables. Queues of events are not
    counted. A layer's states share one memory; a table is a memory of its own.
    """
    every = np.full_like(layer.spikes, layer.updates)
    found = [
        Traffic(Memory.WEIGHTS, p.operations, bits, bits * weights.size)
        for p in layer.incoming
        for weights in stored_weights(p.projection)
        for bits in (weight_bits(weights),)
    ]
    bits = layer.accumulator_bits
    accumulators = 2 * (layer.synaptic_operations + every)
    found.append(Traffic(Memory.ACCUMULATORS, accumulators, bits, bits * layer.neurons))
    bits, states = layer.state_bits, len(layer.update.states)
    found.append(Traffic(Memory.STATES, 2 * states * every, bits, bits * layer.neurons * states))
    parameters = (layer.state_bits,) if layer.is_readout else (GAIN_BITS, layer.state_bits)
    found += [Traffic(Memory.PARAMETERS, every, b, b * layer.channels) for b in parameters]
    found += [
        Traffic(Memory.TABLES, number * every, op.bits, op.other)
        for op, number in layer.update.operations.items()
        if op.kind is OperationKind.LOOKUP
    ]
    return tuple(found)


def traffic_bits(layer: LayerCounts) -> dict[Memory, int]:
    """Mean bits moved per inference, by memory."""
    moved = dict.fromkeys(Memory, 0.0)
    for part in traffic(layer):
        moved[part.memory] += float(part.accesses.mean()) * part.bits
    return {memory: round(bits) for memory, bits in moved.items()}


def weight_bits(weight: NDArray[np.int8]) -> int:
    """The two's complement width of -n to n, n being the largest weight without its sign."""
    return max(int(np.abs(weight.astype(np.int16)).max()).bit_length(), 1) + 1
