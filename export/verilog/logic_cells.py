"""What a layer takes of an iCE40, estimated: logic cells, and the memories that may be blocks.

Factors are fitted to what yosys 0.23 makes of the digits network, within a tenth there;
arlif resources counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from arlif.core.ranges import width
from export.verilog.incoming import Source
from export.verilog.layer_modules import logit_bits
from export.verilog.netlist import Part, Wire
from export.verilog.pipeline import Pipeline
from export.verilog.placement import Layer

CELLS_PER_BIT = {"table": 0.05, "constants": 0.13, "queue": 1.9, "sums": 2.2}
"""Of a memory of logic: smooth tables are small, and what can be written is flip-flops."""


@dataclass(frozen=True)
class Stored:
    """A memory of a layer. name: as in Layer.logic. kind: of CELLS_PER_BIT."""

    name: str
    words: int
    bits: int
    kind: str

    @property
    def cells(self) -> int:
        """Logic cells where it is no block memory."""
        return round(self.words * self.bits * CELLS_PER_BIT[self.kind])


def stored(layer: Layer) -> Iterator[Stored]:
    """The memories of a layer that may be blocks."""
    for k, source in enumerate(layer.sources):
        yield Stored(f"queue{k}", 1 << source.log_depth, source.word_bits, "queue")
        if source.ors:
            yield Stored(f"or{k}", 1 << source.place.bits, 1, "sums")
        weights = source.walk.weights
        yield Stored(f"weights{k}", len(weights.words), weights.bits, "constants")
    for sums in layer.sums:
        yield Stored(sums.name, layer.words, layer.lanes * layer.bits, "sums")
    for name in ("scales", "constants"):
        memory = layer.memories.get(layer.file(name))
        if memory:
            yield Stored(name, len(memory.words), memory.bits, "constants")
    if layer.population is None:
        yield Stored("answers", 1 << layer.answers, logit_bits(layer) + 5, "queue")
    if layer.states:
        yield Stored("states", layer.neurons, layer.state_bits, "sums")
    for title, table in layer.pipeline.netlist.tables.items():
        yield Stored(title, len(table), width((min(table), max(table))), "table")


def logic_cells(layer: Layer) -> int:
    """Logic cells of all but memories."""
    lanes = layer.lanes * layer.bits
    choice = lanes * 2 // 3 if layer.lanes > 1 else 0
    control = 160 + 4 * layer.address_bits + 3 * layer.bits
    sums = 3 * lanes * len(layer.sums)
    sources = sum(_source_cells(layer, source) for source in layer.sources)
    return control + sums + choice + sources + _update_cells(layer.pipeline)


def _source_cells(layer: Layer, source: Source) -> int:
    product = 2 * 8 * source.v_bits * layer.lanes if source.graded else 0
    places = len(source.walk.rows.words) + len(source.walk.columns.words)
    ors = 40 + sum(map(len, source.ors)) if source.ors else 0
    return 60 + places // 2 + 2 * source.word_bits + product + ors


def _update_cells(pipeline: Pipeline) -> int:
    wires = pipeline.netlist.wires
    made = (_cells(wires, wires[place]) for place in pipeline.netlist.needed())
    carried = (bits for bits, value in pipeline.registers.values() if value.isidentifier())
    return round(1.2 * sum(made) + 0.65 * sum(carried))


def _cells(wires: list[Wire], wire: Wire) -> int:
    args = [wires[place] for place in wire.args]
    bits = max((arg.bits for arg in args), default=0)
    match wire.part:
        case Part.MUL:
            constants = [arg.interval[0] for arg in args if arg.constant]
            if constants:
                return bits * max(1, abs(constants[0]).bit_count())
            return 2 * args[0].bits * args[1].bits
        case Part.CLIP:
            return 2 * bits + wire.bits
        case Part.INPUT | Part.CONSTANT | Part.INDEX | Part.LOOKUP:
            return 0
    return max(bits, wire.bits)
