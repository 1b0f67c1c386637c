"""What leads into a layer, as Verilog: queues, delays, ORs of spikes, scatter units, weights."""

from collections.abc import Iterator

from export.verilog.incoming import VALUE_BITS, Place, Source
from export.verilog.memories import path_bits
from export.verilog.pipeline import address_bits
from export.verilog.placement import Layer
from export.verilog.scattering import Paths
from export.verilog.spelling import instance


def source_text(layer: Layer, k: int, source: Source) -> Iterator[str]:
    """A source's queue, its OR, its scatter unit and its weights."""
    place, walk = source.place, source.walk
    v = f"q{k}_v" if source.graded else "2'sd1"
    yield f"  wire w{k}_valid;"
    yield f"  reg u{k};"
    yield f"  wire [{layer.address_bits - 1}:0] w{k}_address;"
    yield f"  wire [{walk.row_bits - 1}:0] w{k}_row;"
    yield f"  wire signed [{source.v_bits - 1}:0] w{k}_v;"
    yield f"  wire [{layer.lanes * layer.bits - 1}:0] delta{k};"
    clocked = {"clk": "clk", "rst": "rst"}
    if source.ors is None:
        yield from _queue(layer, k, source, f"q{k}")
    else:
        yield from _queue(layer, k, source, f"r{k}")
        yield from _or(layer, k, source, source.ors)
    yield instance(
        "arlif_scatter",
        f"scatter{k}",
        {
            "C_BITS": place.c,
            "Y_BITS": place.y,
            "X_BITS": place.x,
            "V_BITS": source.v_bits,
            "Y_PATH_BITS": path_bits(source.paths.rows),
            "X_PATH_BITS": path_bits(source.paths.columns),
            "BLOCKS": layer.blocks,
            "BLOCK_BITS": address_bits(layer.blocks),
            "GROUPED": int(walk.grouped),
            "ADDRESS_BITS": layer.address_bits,
            "ROW_BITS": walk.row_bits,
            "Y_FILE": _quoted(layer, f"{k}_rows"),
            "X_FILE": _quoted(layer, f"{k}_columns"),
            "C_FILE": _quoted(layer, f"{k}_channels"),
        },
        clocked
        | {"active": f"active[{k}]", "i_valid": f"q{k}_valid", "i_last": f"q{k}_last"}
        | {"i_c": f"q{k}_c", "i_y": f"q{k}_y", "i_x": f"q{k}_x", "i_v": v}
        | {"i_pop": f"q{k}_pop", "finished": f"finished[{k}]", "o_valid": f"w{k}_valid"}
        | {"o_address": f"w{k}_address", "o_row": f"w{k}_row", "o_v": f"w{k}_v"},
    )
    yield instance(
        "arlif_weights",
        f"weights{k}",
        {
            "LANES": layer.lanes,
            "WEIGHT_BITS": walk.weight_bits,
            "V_BITS": source.v_bits,
            "GRADED": int(source.graded),
            "SHIFT": source.projection.shift,
            "BITS": layer.bits,
            "ROWS": len(walk.weights.words),
            "ROW_BITS": walk.row_bits,
            "STYLE": layer.style(f"weights{k}"),
            "FILE": _quoted(layer, f"{k}_weights"),
        }
        | _split(layer, k),
        {"clk": "clk", "row": f"w{k}_row", "v": f"w{k}_v", "valid": f"u{k}"}
        | {"delta": f"delta{k}"},
    )


def _fields(name: str, place: Place) -> Iterator[str]:
    """The wires of an event."""
    yield f"  wire {name}_valid, {name}_last, {name}_pop;"
    for part, bits in (("c", place.c), ("y", place.y), ("x", place.x)):
        yield f"  wire [{bits - 1}:0] {name}_{part};"


def _queue(layer: Layer, k: int, source: Source, name: str) -> Iterator[str]:
    """A source's queue, which may hold events back."""
    yield from _fields(name, source.sent)
    fields = f"{name}_last, {name}_c, {name}_y, {name}_x"
    if source.valued:
        yield f"  wire signed [{VALUE_BITS - 1}:0] {name}_v;"
        fields += f", {name}_v"
    held: dict[str, object] = {}
    if source.waits:
        held = {"DELAY": source.waits, "STEPS": source.steps}
        held |= {"COUNT_BITS": address_bits(source.steps + 1)}
    yield instance(
        "arlif_delay" if source.waits else "arlif_fifo",
        f"queue{k}",
        {"WIDTH": source.word_bits, "LOG_DEPTH": source.log_depth, "MARGIN": source.margin}
        | {"STYLE": layer.style(f"queue{k}")}
        | held,
        {"clk": "clk", "rst": "rst"}
        | ({"begins": "begins"} if source.waits else {})
        | {"push": f"i{k}_push", "data": f"i{k}_word", "room": f"i{k}_room"}
        | {"valid": f"{name}_valid", "head": f"{{{fields}}}", "pop": f"{name}_pop"},
    )


def _or(layer: Layer, k: int, source: Source, ors: tuple[Paths, Paths]) -> Iterator[str]:
    """The OR of a source's spikes, from the queue's events to those of windows."""
    sent, place = source.sent, source.place
    yield from _fields(f"q{k}", place)
    yield instance(
        "arlif_or",
        f"or{k}",
        {"C_BITS": sent.c, "Y_BITS": sent.y, "X_BITS": sent.x}
        | {"Y_PATH_BITS": path_bits(ors[0]), "X_PATH_BITS": path_bits(ors[1])}
        | {"TO_Y_BITS": place.y, "TO_X_BITS": place.x}
        | {"Y_FILE": _quoted(layer, f"{k}_or_rows"), "X_FILE": _quoted(layer, f"{k}_or_columns")},
        {"clk": "clk", "rst": "rst"}
        | {f"i_{n}": f"r{k}_{n}" for n in ("valid", "last", "c", "y", "x", "pop")}
        | {f"o_{n}": f"q{k}_{n}" for n in ("valid", "last", "c", "y", "x", "pop")},
    )


def _split(layer: Layer, k: int) -> dict[str, object]:
    """Where the weights of a source lie in two memories."""
    head, rows = layer.head(f"weights{k}"), len(layer.sources[k].walk.weights.words)
    if not head:
        return {}
    tail = _quoted(layer, f"{k}_tail")
    return {"HEAD": head, "TAIL_BITS": address_bits(rows - head), "TAIL_FILE": tail}


def _quoted(layer: Layer, part: str) -> str:
    """The file of a memory as a text in Verilog."""
    return f'"{layer.file(part)}"'
