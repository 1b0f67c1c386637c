"""A layer as a Verilog module: the library's parts and the printed update, joined."""

from collections.abc import Iterator

from export.verilog.incoming import Sums
from export.verilog.netlist import SPIKE, SUMS, after, before
from export.verilog.pipeline import address_bits
from export.verilog.placement import Layer
from export.verilog.plan import LOGIT
from export.verilog.source_modules import source_text
from export.verilog.spelling import instance, packed_wires, resized


def layer_module(layer: Layer) -> str:
    """The module of a layer, its update before it."""
    readout = layer.population is None
    lines = [
        f"// {layer.name}: {' x '.join(map(str, layer.shape))}, sums in {list(layer.accumulator)}",
        *(f"//   from {source.projection}" for source in layer.sources),
        "/* verilator lint_off UNUSED */",
        f"module layer{layer.number} (",
        ",\n".join(f"    {port}" for port in _ports(layer)),
        ");",
        *(line for k, s in enumerate(layer.sources) for line in source_text(layer, k, s)),
        *_control(layer),
        *(line for sums in layer.sums for line in _sums(layer, sums)),
        *_lane(layer),
        *_update(layer),
        *(_logits() if readout else _events(layer)),
        "endmodule",
        "/* verilator lint_on UNUSED */",
        "",
    ]
    return layer.pipeline.text(layer.logic) + "\n" + "\n".join(lines)


def logit_bits(layer: Layer) -> int:
    """Of a readout's logit."""
    netlist = layer.pipeline.netlist
    return netlist.wires[netlist.outputs[LOGIT]].bits


def _ports(layer: Layer) -> Iterator[str]:
    yield from ("input wire clk", "input wire rst")
    if layer.waits:
        yield "input wire begins"
    for k, source in enumerate(layer.sources):
        yield f"input wire i{k}_push"
        yield f"input wire [{source.word_bits - 1}:0] i{k}_word"
        yield f"output wire i{k}_room"
    yield "input wire o_room"
    yield "output wire o_push"
    if layer.population is None:
        yield f"output wire signed [{logit_bits(layer) - 1}:0] o_logit"
        return
    yield f"output wire [{layer.place.bits}:0] o_word"
    yield "output wire tap_valid"
    yield "output wire tap_spike"
    for k, bits in enumerate(tap_bits(layer)):
        yield f"output wire signed [{bits - 1}:0] tap_{k}"


def tap_bits(layer: Layer) -> list[int]:
    """Of every state variable after the step."""
    netlist = layer.pipeline.netlist
    states = layer.population.neuron.variables if layer.population else ()
    return [netlist.wires[netlist.outputs[after(state)]].bits for state in states]


def _control(layer: Layer) -> Iterator[str]:
    sources, lanes = len(layer.sources), address_bits(layer.lanes)
    yield f"  wire [{sources - 1}:0] active, finished;"
    offered = packed_wires([f"q{k}_valid" for k in range(sources)])
    yield "  wire sweeping, clear, clear_still, issued, first, ended;"
    yield f"  wire [{layer.address_bits - 1}:0] swept, cleared;"
    yield f"  wire [{lanes - 1}:0] lane;"
    yield f"  wire [{address_bits(layer.time_steps + 1) - 1}:0] step;"
    yield instance(
        "arlif_sweep",
        "sweep",
        {
            "SOURCES": sources,
            "STILL": layer.still,
            "GATHERS": layer.gathers,
            "STEPS": layer.steps,
            "COUNT_BITS": address_bits(layer.time_steps + 1),
            "WORDS": layer.words,
            "ADDRESS_BITS": layer.address_bits,
            "CHANNELS": layer.shape[0],
            "CHANNEL_BITS": address_bits(layer.shape[0]),
            "LANES": layer.lanes,
            "LANE_BITS": lanes,
            "LATENCY": layer.pipeline.latency,
            "DRAIN_BITS": address_bits(layer.pipeline.latency + 8),
        },
        {"clk": "clk", "rst": "rst", "offered": offered, "finished": "finished"}
        | {"active": "active"}
        | {"room": "o_room", "sweeping": "sweeping", "address": "swept", "clear": "clear"}
        | {"clear_still": "clear_still", "clear_address": "cleared", "issued": "issued"}
        | {"lane": "lane", "first": "first", "step": "step", "ended": "ended"},
    )


def _sums(layer: Layer, sums: Sums) -> Iterator[str]:
    """An accumulator and what adds to it."""
    wide, address = layer.lanes * layer.bits, layer.address_bits
    for k in sums.sources:
        yield f"  reg [{address - 1}:0] a{k};"
        yield "  always @(posedge clk) begin"
        yield f"    u{k} <= w{k}_valid;"
        yield f"    a{k} <= w{k}_address;"
        yield "  end"
    *rest, last = sums.sources
    where = "".join(f"u{k} ? a{k} : " for k in rest) + f"a{last}"
    yield f"  wire [{wide - 1}:0] {sums.name}_word;"
    yield instance(
        "arlif_accumulator",
        sums.name,
        {"LANES": layer.lanes, "BITS": layer.bits, "WORDS": layer.words}
        | {"ADDRESS_BITS": address, "STYLE": layer.style(sums.name)},
        {"clk": "clk", "address": f"sweeping ? swept : {where}"}
        | {"update": " | ".join(f"u{k}" for k in sums.sources)}
        | {"delta": " | ".join(f"delta{k}" for k in sums.sources)}
        | {"clear": "clear_still" if sums.still else "clear", "clear_address": "cleared"}
        | {"word": f"{sums.name}_word"},
    )


def _lane(layer: Layer) -> Iterator[str]:
    """The sum of the neuron that is issued, of the accumulators that count in this step."""
    bits, step = layer.bits, address_bits(layer.time_steps + 1)
    parts = []
    for sums in layer.sums:
        word = f"{sums.name}_word"
        part = f"{word}[lane*{bits} +: {bits}]" if layer.lanes > 1 else word
        counts = f"(step >= {step}'d{sums.waits} ? {part} : {bits}'d0)" if sums.waits else part
        parts += [counts] * (sums.waits < layer.time_steps)
    yield f"  reg signed [{bits - 1}:0] acc;"
    parts = parts or [f"{bits}'d0"]
    yield f"  always @(posedge clk) acc <= {' + '.join(parts)};"


def _update(layer: Layer) -> Iterator[str]:
    """The neuron's pipeline with its memories. under[n]: a neuron is at stage n."""
    latency, netlist = layer.pipeline.latency, layer.pipeline.netlist
    moved = f"{{under[{latency - 1}:0], issued}}" if latency else "issued"
    yield f"  reg [{latency}:0] under;"
    yield f"  always @(posedge clk) if (rst) under <= 0; else under <= {moved};"
    yield f"  wire leaves = under[{latency}];"
    ports = {"clk": "clk"} if layer.pipeline.registers else {}
    ports |= {SUMS: "acc"} if SUMS in netlist.inputs else {}
    for title, names, stage in (
        ("scales", layer.scales, 0),
        ("constants", layer.constants, layer.late),
    ):
        if names:
            yield from _rom(layer, title, names, stage)
            ports |= {name: name for name in names}
    for name, place in netlist.outputs.items():
        yield f"  wire signed [{netlist.wires[place].bits - 1}:0] {name};"
    yield from _states(layer)
    ports |= {name: name for name in (*map(before, layer.states), *netlist.outputs)}
    yield instance(layer.pipeline.name, "update", {}, ports)


def _entering(stage: int) -> str:
    """Whether a neuron reaches `stage` at the next clock."""
    return f"under[{stage - 1}]" if stage else "issued"


def _rom(layer: Layer, title: str, names: tuple[str, ...], stage: int) -> Iterator[str]:
    memory = layer.memories[layer.file(title)]
    words = len(memory.words)
    for name in names:
        yield f"  wire signed [{layer.port_bits(name) - 1}:0] {name};"
    yield instance(
        "arlif_rom",
        title,
        {"BITS": memory.bits, "WORDS": words, "ADDRESS_BITS": address_bits(words)}
        | {"STYLE": layer.style(title), "FILE": f'"{layer.file(title)}"'},
        {"clk": "clk", "rst": "rst", "read": _entering(stage)} | {"word": packed_wires(names)},
    )


def _states(layer: Layer) -> Iterator[str]:
    """The memory of states; a word has the first state variable lowest."""
    if not layer.states:
        return
    netlist = layer.pipeline.netlist
    kept = []
    for state in layer.states:
        have = layer.port_bits(before(state))
        yield f"  wire signed [{have - 1}:0] {before(state)};"
        kept.append(resized(after(state), netlist.wires[netlist.outputs[after(state)]].bits, have))
    yield f"  wire [{layer.state_bits - 1}:0] state;"
    yield f"  assign {packed_wires([before(s) for s in layer.states])} = state;"
    yield instance(
        "arlif_states",
        "states",
        {
            "BITS": layer.state_bits,
            "WORDS": layer.neurons,
            "ADDRESS_BITS": address_bits(layer.neurons),
        }
        | {"STYLE": layer.style("states")},
        {"clk": "clk", "rst": "rst", "first": "first", "read": _entering(layer.late)}
        | {"word": "state", "write": "leaves", "next": packed_wires(kept)},
    )


def _events(layer: Layer) -> Iterator[str]:
    """Spikes leave as events, and the end of a time step as a word with `last`."""
    place = layer.place
    assert layer.population is not None
    yield f"  wire [{place.c - 1}:0] o_c;"
    yield f"  wire [{place.y - 1}:0] o_y;"
    yield f"  wire [{place.x - 1}:0] o_x;"
    yield instance(
        "arlif_walk",
        "walk",
        {"CHANNELS": layer.shape[0], "HEIGHT": layer.shape[1], "WIDTH": layer.shape[2]}
        | {"C_BITS": place.c, "Y_BITS": place.y, "X_BITS": place.x},
        {"clk": "clk", "rst": "rst", "advance": "leaves", "c": "o_c", "y": "o_y", "x": "o_x"},
    )
    yield f"  assign o_push = (leaves && {SPIKE}[0]) || ended;"
    yield "  assign o_word = {ended, o_c, o_y, o_x};"
    yield "  assign tap_valid = leaves;"
    yield f"  assign tap_spike = {SPIKE}[0];"
    for k, name in enumerate(layer.population.neuron.variables):
        yield f"  assign tap_{k} = {after(name)};"


def _logits() -> Iterator[str]:
    yield "  assign o_push = leaves;"
    yield f"  assign o_logit = {LOGIT};"
