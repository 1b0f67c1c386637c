"""A network as it lies in hardware: layers, their sources, widths and constants."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import QuantizedNetwork
from arlif.core.nodes import Population, Projection
from arlif.core.ranges import Interval, width
from export.verilog.memories import Memory, Walk, sequence
from export.verilog.netlist import BIAS, GAIN, before
from export.verilog.pipeline import Pipeline, address_bits
from export.verilog.scattering import Scattering

SPARE = 16
"""Places of a queue beside those of what is under way."""
VALUE_BITS = 9
"""Of an input's value, -127 to 127 and what is clamped to it."""


@dataclass(frozen=True)
class Place:
    """An event's place (c, y, x) in a node of `shape`, and how many bits each part has."""

    shape: tuple[int, int, int]

    @property
    def c(self) -> int:
        """Of the channel."""
        return address_bits(self.shape[0])

    @property
    def y(self) -> int:
        """Of the row."""
        return address_bits(self.shape[1])

    @property
    def x(self) -> int:
        """Of the column."""
        return address_bits(self.shape[2])

    @property
    def bits(self) -> int:
        """Of all three."""
        return self.c + self.y + self.x


@dataclass(frozen=True)
class Source:
    """A projection into a layer.

    still: whether its one frame stays for all steps. graded: whether its events have values.
    margin: places that its queue keeps free for what is under way.
    """

    projection: Projection
    paths: Scattering
    walk: Walk
    place: Place
    still: bool
    graded: bool
    margin: int

    @property
    def v_bits(self) -> int:
        """Bits of an event's value."""
        return VALUE_BITS if self.graded else 2

    @property
    def word_bits(self) -> int:
        """Bits of its queue: {last, c, y, x} and, where it is graded, the value."""
        return 1 + self.place.bits + (VALUE_BITS if self.graded else 0)

    @property
    def log_depth(self) -> int:
        """Of its queue."""
        return address_bits(self.margin + SPARE)

    def updates(self, y: int, x: int, c: int) -> int:
        """Clocks that an event takes: paths times blocks, at least 1."""
        return max(1, self.paths.taps(y, x) * self.walk.counts[c])


@dataclass(frozen=True)
class Layer:
    """A population, or the readout, with all that leads into it.

    late: the stage of the pipeline at which states and constants of neurons arrive. values: the
    constants that differ between channels or neurons, by port, [C, 1, 1] or [C, H, W].
    """

    number: int
    name: str
    shape: tuple[int, int, int]
    lanes: int
    accumulator: Interval
    sources: tuple[Source, ...]
    population: Population | None
    pipeline: Pipeline
    late: int
    values: Mapping[str, NDArray[np.int64]]
    time_steps: int

    @property
    def bits(self) -> int:
        """Of an accumulator."""
        return width(self.accumulator)

    @property
    def place(self) -> Place:
        """Where its neurons are."""
        return Place(self.shape)

    @property
    def neurons(self) -> int:
        """How many there are."""
        return prod(self.shape)

    @property
    def blocks(self) -> int:
        """Words of accumulators for one place."""
        return -(-self.shape[0] // self.lanes)

    @property
    def words(self) -> int:
        """Words of accumulators."""
        return self.shape[1] * self.shape[2] * self.blocks

    @property
    def address_bits(self) -> int:
        """Of a word of accumulators."""
        return address_bits(self.words)

    @property
    def still(self) -> int:
        """How many sources send one frame for all steps; they come first."""
        return sum(source.still for source in self.sources)

    @property
    def gathers(self) -> int:
        """Ends of time steps before a sweep."""
        moving = self.still < len(self.sources)
        return self.time_steps if self.population is None and moving else 1

    @property
    def steps(self) -> int:
        """Sweeps of a sample."""
        return 1 if self.population is None else self.time_steps

    @property
    def states(self) -> tuple[str, ...]:
        """State variables that change, in the order of a word of state, the first lowest."""
        if self.population is None:
            return ()
        inputs = self.pipeline.netlist.inputs
        return tuple(s for s in self.population.neuron.variables if before(s) in inputs)

    @property
    def scales(self) -> tuple[str, ...]:
        """Ports of constants that are needed at stage 0."""
        return tuple(port for port in self.values if port in (GAIN, BIAS))

    @property
    def constants(self) -> tuple[str, ...]:
        """Ports of constants that are needed with the state."""
        return tuple(port for port in self.values if port not in (GAIN, BIAS))

    def port_bits(self, port: str) -> int:
        """Of an input of the update."""
        netlist = self.pipeline.netlist
        return netlist.wires[netlist.inputs[port]].bits

    def memory(self, ports: tuple[str, ...]) -> Memory:
        """Constants in the order of the sweep: of channels, or of all neurons."""
        found = [self.values[port] for port in ports]
        per_channel = all(values.size == self.shape[0] for values in found)
        shape = (self.shape[0], 1, 1) if per_channel else self.shape
        columns = [np.broadcast_to(v, shape).transpose(1, 2, 0).ravel() for v in found]
        return sequence(columns, [self.port_bits(port) for port in ports])

    @cached_property
    def memories(self) -> dict[str, Memory]:
        """What its memories hold, by name of the file."""
        found: dict[str, Memory] = {}
        for k, source in enumerate(self.sources):
            walk, start = source.walk, f"layer{self.number}_{k}"
            found |= {f"{start}_rows.hex": walk.rows, f"{start}_columns.hex": walk.columns}
            found |= {f"{start}_channels.hex": walk.channels} if walk.grouped else {}
            found[f"{start}_weights.hex"] = walk.weights
        for title, ports in (("scales", self.scales), ("constants", self.constants)):
            if ports:
                found[f"layer{self.number}_{title}.hex"] = self.memory(ports)
        return found


@dataclass(frozen=True)
class Plan:
    """A network in Verilog: its populations in their order, then the readout."""

    network: QuantizedNetwork
    layers: tuple[Layer, ...]

    @property
    def readout(self) -> Layer:
        """The last layer."""
        return self.layers[-1]

    def targets(self, name: str) -> list[tuple[Layer, int]]:
        """The layers that a node sends to, each with the number of the source there."""
        return [
            (layer, number)
            for layer in self.layers
            for number, source in enumerate(layer.sources)
            if source.projection.source == name
        ]

    @property
    def memories(self) -> dict[str, Memory]:
        """What all memories hold, by name of the file."""
        return {name: memory for layer in self.layers for name, memory in layer.memories.items()}
