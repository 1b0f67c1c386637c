"""A network as it lies in hardware: layers, their sources, widths and constants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import QuantizedNetwork
from arlif.core.nodes import Population
from arlif.core.ranges import Interval, width
from export.verilog.incoming import Place, Source, Sums
from export.verilog.memories import Memory, gates, sequence
from export.verilog.netlist import BIAS, GAIN, before
from export.verilog.pipeline import Pipeline, address_bits

UNDER_WAY = 4
"""Neurons on their way beside those in the pipeline."""


@dataclass(frozen=True)
class Layer:
    """A population, or the readout, with all that leads into it.

    late: the stage of the pipeline at which states and constants of neurons arrive. values: the
    constants that differ between channels or neurons, by port, [C, 1, 1] or [C, H, W]. logic:
    memories, by name, that are made of logic in place of block memory. heads: of memories of
    weights, by name, the rows in block memory where the others are logic.
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
    logic: frozenset[str] = frozenset()
    heads: Mapping[str, int] = field(default_factory=dict)

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
    def sums(self) -> tuple[Sums, ...]:
        """Its accumulators: of still sources by their delay, then of all that move."""
        sources = self.sources[: self.still]
        delays = [source.projection.delay if self.population else 0 for source in sources]
        found = [
            Sums(
                f"still{wait}_sums", tuple(k for k, d in enumerate(delays) if d == wait), True, wait
            )
            for wait in sorted(set(delays))
        ]
        moving = tuple(range(self.still, len(self.sources)))
        return (*found, *([Sums("moving_sums", moving, False)] if moving else ()))

    @property
    def waits(self) -> bool:
        """Whether a queue holds events back."""
        return any(source.waits for source in self.sources)

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

    def style(self, memory: str) -> str:
        """What the parameter STYLE of a memory is."""
        return '"logic"' if memory in self.logic else '"auto"'

    def head(self, memory: str) -> int:
        """Rows of a memory that are blocks where the others are logic; 0 where all are alike."""
        return self.heads.get(memory, 0)

    @property
    def margin(self) -> int:
        """Neurons that leave at most once there is no room."""
        return self.pipeline.latency + UNDER_WAY

    @property
    def answers(self) -> int:
        """Bits of a place in the queue of logits."""
        return address_bits(self.margin + 1)

    def port_bits(self, port: str) -> int:
        """Of an input of the update."""
        netlist = self.pipeline.netlist
        return netlist.wires[netlist.inputs[port]].bits

    @property
    def state_bits(self) -> int:
        """Of a word of state."""
        return sum(self.port_bits(before(state)) for state in self.states)

    def file(self, part: str) -> str:
        """What holds a memory: one of the layer, or one of a source, as "0_weights"."""
        return f"layer{self.number}_{part}.hex"

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
            walk = source.walk
            if source.ors:
                found |= {
                    self.file(f"{k}_or_{side}"): gates(paths, bits)
                    for side, paths, bits in zip(
                        ("rows", "columns"),
                        source.ors,
                        (source.place.y, source.place.x),
                        strict=True,
                    )
                }
            found |= {self.file(f"{k}_rows"): walk.rows, self.file(f"{k}_columns"): walk.columns}
            found |= {self.file(f"{k}_channels"): walk.channels} if walk.grouped else {}
            head = self.head(f"weights{k}")
            found[self.file(f"{k}_weights")] = walk.weights.part(0, head or None)
            if head:
                found[self.file(f"{k}_tail")] = walk.weights.part(head, None)
        for title, ports in (("scales", self.scales), ("constants", self.constants)):
            if ports:
                found[self.file(title)] = self.memory(ports)
        return found


@dataclass(frozen=True)
class Plan:
    """A network in Verilog: its populations in their order, then the readout.

    fpga: what it is laid out for; empty where that is any.
    """

    network: QuantizedNetwork
    layers: tuple[Layer, ...]
    fpga: str = ""

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
