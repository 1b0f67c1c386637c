"""A network laid out for a small FPGA: as many lanes as fit, and which memories become logic.

Blocks of memory are scarce there, so the memories that save a block for the fewest logic cells
become logic until the others fit; and layers that are not the slowest take fewer lanes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from arlif.base.errors import NetworkError
from arlif.core.network import QuantizedNetwork
from export.verilog.devices import CHIPS, Chip
from export.verilog.logic_cells import Stored, logic_cells, stored
from export.verilog.placement import Layer, Plan
from export.verilog.plan import planned

FILLED = 0.95
"""Of the cells: more than that is rarely routed."""
RATE = 0.25
"""Spikes of a neuron in a step, where layers are compared."""


@dataclass(frozen=True)
class Room:
    """What a layer takes: blocks of memory, and logic cells, by estimate."""

    blocks: int
    cells: int


def laid_out(network: QuantizedNetwork, name: str, lanes: int | None = None) -> Plan:
    """The fastest plan that fits a chip of CHIPS. lanes: asked for; None is as many as fit.

    Raises NetworkError with what each layer takes where none does.
    """
    chip, most = CHIPS[name], max(layer.shape[0] for layer in planned(network, 1).layers)
    last = lanes or 1
    cap = lanes or most
    while True:
        plan = _saved(_balanced(network, cap), chip)
        rooms = [room(layer, chip) for layer in plan.layers]
        blocks, cells = sum(r.blocks for r in rooms), sum(r.cells for r in rooms)
        if blocks <= chip.blocks and cells <= FILLED * chip.cells:
            return replace(plan, fpga=name)
        if cap == last:
            break
        cap = -(-cap // 2)
    by_layer = "; ".join(
        f"{layer.name} {r.blocks} blocks, {r.cells:,} cells"
        for layer, r in zip(plan.layers, rooms, strict=True)
    )
    over = [f"{blocks} of {chip.blocks} blocks of memory"] * (blocks > chip.blocks)
    over += [f"{cells:,} of {chip.cells:,} cells"] * (cells > FILLED * chip.cells)
    cure = "use fewer --lanes, smaller layers" if cap > 1 else "use smaller layers, fewer channels"
    raise NetworkError(
        f"with {cap} lanes the network takes {' and '.join(over)} of an {name}, by estimate: "
        f"{by_layer}; {cure} or a larger FPGA"
    )


def room(layer: Layer, chip: Chip) -> Room:
    """What a layer takes of a chip."""
    blocks, cells = 0, logic_cells(layer)
    for memory in stored(layer):
        head = layer.head(memory.name)
        if memory.name in layer.logic:
            cells += memory.cells
        else:
            blocks += chip.needed(head or memory.words, memory.bits)
            cells += replace(memory, words=memory.words - head).cells if head else 0
    return Room(blocks, cells)


def _balanced(network: QuantizedNetwork, cap: int) -> Plan:
    """With so many lanes at most; halved where a layer stays faster than the slowest."""
    plan = planned(network, cap)
    slowest = max(_load(layer, layer.lanes) for layer in plan.layers)
    lanes = {}
    for layer in plan.layers:
        used = layer.lanes
        while used > 1 and _load(layer, -(-used // 2)) <= slowest:
            used = -(-used // 2)
        lanes[layer.name] = used
    return planned(network, lanes)


def _load(layer: Layer, lanes: int) -> float:
    """About how many clocks a layer works for a sample."""
    total = float(layer.neurons * layer.steps)
    for source in layer.sources:
        rows, columns = (
            sum(map(len, paths)) for paths in (source.paths.rows, source.paths.columns)
        )
        events = rows * columns * source.place.shape[0] * -(-layer.shape[0] // lanes)
        times = 1 if source.still else layer.time_steps
        total += events * times * (1 if source.graded else RATE)
    return total


def _saved(plan: Plan, chip: Chip) -> Plan:
    """Memories become logic, the cheapest for a block first, until the blocks are enough."""
    layers = list(plan.layers)
    while (over := sum(room(layer, chip).blocks for layer in layers) - chip.blocks) > 0:
        best: tuple[float, int, Layer] | None = None
        for n, layer in enumerate(layers):
            before = room(layer, chip)
            for other in _moves(layer, chip):
                after = room(other, chip)
                if after.blocks < before.blocks:
                    gain = min(before.blocks - after.blocks, over)
                    price = (after.cells - before.cells) / gain
                    best = min(best or (price, n, other), (price, n, other), key=lambda b: b[:2])
        if best is None:
            break
        layers[best[1]] = best[2]
    return replace(plan, layers=tuple(layers))


def _moves(layer: Layer, chip: Chip) -> Iterator[Layer]:
    """A layer with one memory more in logic, or with some rows of its weights."""
    for memory in stored(layer):
        if memory.name in layer.logic:
            continue
        yield replace(layer, logic=layer.logic | {memory.name})
        if memory.name.startswith("weights") and not layer.head(memory.name):
            head = _rows_kept(memory, chip)
            if head:
                yield replace(layer, heads={**layer.heads, memory.name: head})


def _rows_kept(memory: Stored, chip: Chip) -> int:
    """Rows of weights that fill blocks; 0 where none can be apart."""
    found = 0
    for deep, _ in chip.shapes:
        head = memory.words // deep * deep
        if 0 < head < memory.words and chip.needed(head, memory.bits) < chip.needed(
            memory.words, memory.bits
        ):
            found = max(found, head)
    return found
