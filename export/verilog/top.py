"""The top module: AXI-stream in, layers, AXI-stream out."""

from collections.abc import Iterator

from arlif.core.network import INPUT
from export.verilog.incoming import VALUE_BITS, Place
from export.verilog.layer_modules import layer_module, logit_bits, tap_bits
from export.verilog.pipeline import address_bits
from export.verilog.placement import Layer, Plan
from export.verilog.scattering import frame
from export.verilog.spelling import instance, resized

TOP = "arlif_network"
"""The name of the top module."""
TAPS = "ARLIF_TAPS"
"""The macro that gives the top a port for every layer's spikes and states."""


def input_place(plan: Plan) -> Place:
    """Where events of the input are."""
    return Place(frame(plan.network.input.shape))


def stream_bits(bits: int) -> int:
    """Of an AXI-stream's data: whole bytes."""
    return -(-bits // 8) * 8


def in_bits(plan: Plan) -> int:
    """Of the input's tdata."""
    return stream_bits(input_place(plan).bits + VALUE_BITS)


def out_bits(plan: Plan) -> int:
    """Of the output's tdata: at least 32."""
    return stream_bits(max(32, logit_bits(plan.readout)))


def user_bits(plan: Plan) -> int:
    """Of the output's tuser: a class."""
    return address_bits(plan.readout.shape[0])


def network_text(plan: Plan) -> str:
    """network.v: the layers and the top module."""
    layers = [layer_module(layer) for layer in plan.layers]
    return "\n".join(["/* verilator lint_off DECLFILENAME */", *layers, *_top(plan)])


def _top(plan: Plan) -> Iterator[str]:
    hidden = plan.layers[:-1]
    yield f"module {TOP} ("
    yield "    input wire clk,"
    yield "    input wire rst,"
    yield "    input wire s_axis_tvalid,"
    yield "    output wire s_axis_tready,"
    yield "    /* verilator lint_off UNUSED */"
    yield f"    input wire [{in_bits(plan) - 1}:0] s_axis_tdata,"
    yield "    /* verilator lint_on UNUSED */"
    yield "    input wire s_axis_tlast,"
    yield f"`ifdef {TAPS}"
    for layer in hidden:
        for name, bits in taps(layer):
            yield f"    output wire signed [{bits - 1}:0] {name},"
    yield "`endif"
    yield "    output wire m_axis_tvalid,"
    yield "    input wire m_axis_tready,"
    yield f"    output wire [{out_bits(plan) - 1}:0] m_axis_tdata,"
    yield f"    output wire [{user_bits(plan) - 1}:0] m_axis_tuser,"
    yield "    output wire m_axis_tlast"
    yield ");"
    yield from _input(plan)
    for layer in plan.layers:
        yield from _layer(plan, layer)
    yield from _output(plan)
    yield "endmodule"
    yield ""


def taps(layer: Layer) -> list[tuple[str, int]]:
    """The tap ports of a layer: valid, spike, and every state variable, with their widths."""
    ports = [
        ("valid", 1),
        ("spike", 1),
        *((str(k), bits) for k, bits in enumerate(tap_bits(layer))),
    ]
    return [(f"tap{layer.number}_{name}", bits) for name, bits in ports]


def _room(plan: Plan, name: str) -> str:
    rooms = [f"room{layer.number}_{k}" for layer, k in plan.targets(name)]
    return " && ".join(rooms)


def _input(plan: Plan) -> Iterator[str]:
    place, source = input_place(plan), plan.network.input
    channels, height, width = place.shape
    for layer in plan.layers:
        for k, _ in enumerate(layer.sources):
            yield f"  wire room{layer.number}_{k};"
        yield f"  wire push{layer.number};"
        if layer.population is not None:
            yield f"  wire [{layer.place.bits}:0] word{layer.number};"
    frames = 1 if source.static else plan.network.time_steps
    yield "  wire push_input, last_input;"
    yield "  /* verilator lint_off UNUSED */"
    yield "  wire begins;"
    yield "  /* verilator lint_on UNUSED */"
    yield f"  wire [{place.c - 1}:0] c_input;"
    yield f"  wire [{place.y - 1}:0] y_input;"
    yield f"  wire [{place.x - 1}:0] x_input;"
    yield f"  wire signed [{VALUE_BITS - 1}:0] v_input;"
    yield instance(
        "arlif_axis_in",
        "axis_in",
        {"CHANNELS": channels, "HEIGHT": height, "WIDTH": width}
        | {"C_BITS": place.c, "Y_BITS": place.y, "X_BITS": place.x}
        | {"LOW": source.low, "HIGH": source.high}
        | {"FRAMES": frames, "FRAME_BITS": address_bits(frames)},
        {"clk": "clk", "rst": "rst"}
        | {f"s_axis_{n}": f"s_axis_{n}" for n in ("tvalid", "tready", "tlast")}
        | {"s_axis_tdata": f"s_axis_tdata[{place.bits + VALUE_BITS - 1}:0]"}
        | {"room": _room(plan, INPUT), "push": "push_input", "last": "last_input"}
        | {"begins": "begins"}
        | {"c": "c_input", "y": "y_input", "x": "x_input", "v": "v_input"},
    )


def _layer(plan: Plan, layer: Layer) -> Iterator[str]:
    number = layer.number
    ports = {"clk": "clk", "rst": "rst"} | ({"begins": "begins"} if layer.waits else {})
    for k, source in enumerate(layer.sources):
        name = source.projection.source
        if name == INPUT:
            push, word = "push_input", "{last_input, c_input, y_input, x_input, v_input}"
        else:
            sender = next(other.number for other in plan.layers if other.name == name)
            push, word = f"push{sender}", f"word{sender}"
        ports |= {f"i{k}_push": push, f"i{k}_word": word, f"i{k}_room": f"room{number}_{k}"}
    ports["o_push"] = f"push{number}"
    if layer.population is None:
        yield f"  wire signed [{logit_bits(layer) - 1}:0] logit;"
        yield "  wire room_out;"
        ports |= {"o_logit": "logit", "o_room": "room_out"}
    else:
        ports |= {"o_word": f"word{number}", "o_room": _room(plan, layer.name)}
        yield f"`ifndef {TAPS}"
        yield "  /* verilator lint_off UNUSED */"
        for name, bits in taps(layer):
            yield f"  wire signed [{bits - 1}:0] {name};"
        yield "  /* verilator lint_on UNUSED */"
        yield "`endif"
        ports |= {name.replace(f"tap{number}_", "tap_"): name for name, _ in taps(layer)}
    yield instance(f"layer{number}", f"layer_{number}", {}, ports)


def _output(plan: Plan) -> Iterator[str]:
    layer, classes = plan.readout, plan.readout.shape[0]
    bits, wide = logit_bits(layer), out_bits(plan)
    yield f"  wire signed [{bits - 1}:0] answer;"
    yield f"  assign m_axis_tdata = {resized('answer', bits, wide)};"
    yield instance(
        "arlif_axis_out",
        "axis_out",
        {"CLASS_BITS": user_bits(plan), "BITS": bits, "CLASSES": classes}
        | {"LOG_DEPTH": layer.answers, "MARGIN": layer.margin}
        | {"STYLE": layer.style("answers")},
        {"clk": "clk", "rst": "rst", "push": f"push{layer.number}", "logit": "logit"}
        | {"room": "room_out"}
        | {"m_axis_tdata": "answer"}
        | {f"m_axis_{n}": f"m_axis_{n}" for n in ("tvalid", "tready", "tuser", "tlast")},
    )
