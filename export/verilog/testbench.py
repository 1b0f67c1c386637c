"""tb.v and its vectors: golden inputs run back to back, everything checked, without Python."""

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from export.golden import Golden
from export.verilog.incoming import VALUE_BITS
from export.verilog.layer_modules import tap_bits
from export.verilog.memories import Memory, fields
from export.verilog.placement import Layer, Plan
from export.verilog.scattering import frame
from export.verilog.top import TAPS, TOP, in_bits, input_place, out_bits, taps, user_bits

PRIME = 0x01000193
"""Of FNV hashes: h = h PRIME + value, modulo 2**32, over spike and states of every update."""


def in_stream_order(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """[N, neurons] of [N, *shape]: channels come before columns before rows."""
    if values.ndim == 4:
        values = values.transpose(0, 2, 3, 1)
    return values.reshape(len(values), -1)


def vectors(plan: Plan, known: Golden) -> dict[str, Memory]:
    """Beats to send, logits and decisions to expect, and a hash of every layer of every sample."""
    beats = [
        beat for sample in _frames(plan, known) for step in sample for beat in _beats(plan, step)
    ]
    bits, user = out_bits(plan), user_bits(plan)
    answers = [
        fields((value, int(np.argmax(row[: k + 1]))), (bits, user))
        for row in known.readout.tolist()
        for k, value in enumerate(row)
    ]
    found = {
        "vectors_in.hex": Memory(tuple(beats), in_bits(plan) + 1),
        "vectors_out.hex": Memory(tuple(answers), bits + user),
    }
    if len(plan.layers) > 1:
        hashes = [h for layer in plan.layers[:-1] for h in _hashes(layer, known)]
        found["vectors_taps.hex"] = Memory(tuple(hashes), 32)
    return found


def _frames(plan: Plan, known: Golden) -> NDArray[np.generic]:
    """[N, frames, values] of the inputs."""
    inputs = known.inputs[None] if plan.network.input.static else known.inputs
    return np.stack([in_stream_order(step) for step in inputs], axis=1)


def _beats(plan: Plan, values: NDArray[np.generic]) -> Iterator[int]:
    """A time step: a beat for every value that is not 0; at least one, the last with tlast."""
    channels, _, columns = frame(plan.network.input.shape)
    place = input_place(plan)
    sent = np.flatnonzero(values).tolist() or [0]
    widths = (VALUE_BITS, place.x, place.y, place.c)
    for at in sent:
        pixel, c = divmod(at, channels)
        y, x = divmod(pixel, columns)
        data = fields((int(values[at]), x, y, c), widths)
        yield data | int(at == sent[-1]) << in_bits(plan)


def _hashes(layer: Layer, known: Golden) -> list[int]:
    """Of every sample, over all steps and neurons in the order of the sweep."""
    parts = []
    for step in known.steps:
        moment = step.moments[layer.name]
        columns = [in_stream_order(v).astype(np.int64) for v in (moment.spikes, *moment.state)]
        parts.append(np.stack(columns, axis=-1).reshape(len(columns[0]), -1))
    values = np.concatenate(parts, axis=1).astype(np.uint32)
    powers = np.full(values.shape[1], PRIME, np.uint32)
    powers[0] = 1
    powers = np.multiply.accumulate(powers)[::-1]
    return [int(h) for h in (values * powers).sum(axis=1, dtype=np.uint32)]


def testbench(plan: Plan, samples: int, held: Mapping[str, Memory]) -> str:
    """tb.v: sends every beat, checks every logit, decision and layer, prints PASS or FAIL.

    held: the `vectors` of so many samples.
    """
    sizes = {name: len(memory.words) for name, memory in held.items()}
    hidden = plan.layers[:-1]
    bits, user = out_bits(plan), user_bits(plan)
    lines = [
        f"// Golden vectors of {samples} inputs; needs the macro {TAPS}. Prints PASS or FAIL.",
        "`timescale 1ns / 1ps",
        "/* verilator lint_off DECLFILENAME */",
        "module tb;",
        "  reg clk = 0, rst = 1;",
        f"  reg [{in_bits(plan)}:0] beats[0:{sizes['vectors_in.hex'] - 1}];",
        f"  reg [{bits + user - 1}:0] answers[0:{sizes['vectors_out.hex'] - 1}];",
        *([f"  reg [31:0] hashes[0:{sizes['vectors_taps.hex'] - 1}];"] if hidden else ()),
        f"  wire [{in_bits(plan) - 1}:0] in_data;",
        "  wire in_last, in_ready, out_valid, out_last;",
        f"  wire [{bits - 1}:0] out_data;",
        f"  wire [{user - 1}:0] out_user;",
        "  integer sent = 0, answered = 0, faults = 0, clocks = 0;",
        f"  wire in_valid = !rst && sent < {sizes['vectors_in.hex']};",
        "  assign {in_last, in_data} = beats[in_valid ? sent : 0];",
        *(line for layer in hidden for line in _tap_wires(layer)),
        f"  {TOP} network (",
        "      .clk(clk), .rst(rst), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready),",
        "      .s_axis_tdata(in_data), .s_axis_tlast(in_last),",
        *(f"      {_tap_ports(layer)}," for layer in hidden),
        "      .m_axis_tvalid(out_valid), .m_axis_tready(1'b1), .m_axis_tdata(out_data),",
        "      .m_axis_tuser(out_user), .m_axis_tlast(out_last)",
        "  );",
        "  initial begin",
        '    $readmemh("vectors_in.hex", beats);',
        '    $readmemh("vectors_out.hex", answers);',
        *(['    $readmemh("vectors_taps.hex", hashes);'] if hidden else ()),
        "    repeat (4) @(negedge clk);",
        "    rst = 0;",
        "  end",
        "  always #5 clk = !clk;",
        "  always @(posedge clk) begin",
        "    clocks <= clocks + 1;",
        "    if (in_valid && in_ready) sent <= sent + 1;",
        "    if (out_valid && !rst) begin",
        "      if ({out_user, out_data} !== answers[answered]) begin",
        "        faults <= faults + 1;",
        '        $display("logit %0d: got %h, expected %h", answered, {out_user, out_data}, '
        "answers[answered]);",
        "      end",
        "      answered <= answered + 1;",
        "    end",
        f"    if (answered == {sizes['vectors_out.hex']}) begin",
        f'      if (faults == 0) $display("PASS: {samples} vectors, %0d clocks", clocks);',
        '      else $display("FAIL: %0d faults", faults);',
        "      $finish;",
        "    end",
        f"    if (clocks == {_patience(plan, samples)}) begin",
        '      $display("FAIL: no answer");',
        "      $finish;",
        "    end",
        "  end",
        *(line for layer in hidden for line in _tap_check(layer, samples)),
        "endmodule",
        "",
    ]
    return "\n".join(lines)


def _patience(plan: Plan, samples: int) -> int:
    """Clocks within which everything must have come: all events at every step, twice."""
    most = 1000
    for layer in plan.layers:
        for source in layer.sources:
            channels, height, width = source.place.shape
            taps = sum(source.updates(y, x, 0) for y in range(height) for x in range(width))
            most += channels * taps * layer.blocks * layer.time_steps
        most += (layer.neurons + 200) * layer.time_steps
    return 2 * most * samples


def _tap_wires(layer: Layer) -> Iterator[str]:
    number = layer.number
    yield f"  wire tap{number}_valid, tap{number}_spike;"
    for k, bits in enumerate(tap_bits(layer)):
        yield f"  wire signed [{bits - 1}:0] tap{number}_{k};"


def _tap_ports(layer: Layer) -> str:
    return ", ".join(f".{name}({name})" for name, _ in taps(layer))


def _tap_check(layer: Layer, samples: int) -> Iterator[str]:
    """A hash over a sample's updates, compared at its end."""
    number, updates = layer.number, prod(layer.shape) * layer.time_steps
    values = [f"{{31'd0, tap{number}_spike}}"]
    for k, bits in enumerate(tap_bits(layer)):
        port = f"tap{number}_{k}"
        values.append(f"{{{{{32 - bits}{{{port}[{bits - 1}]}}}}, {port}}}" if bits < 32 else port)
    yield f"  integer updates{number} = 0, sample{number} = 0;"
    yield f"  reg [31:0] hash{number} = 0, next{number};"
    yield f"  always @(posedge clk) if (tap{number}_valid && !rst) begin"
    yield f"    next{number} = hash{number};"
    for value in values:
        yield f"    next{number} = next{number} * 32'h{PRIME:08x} + {value};"
    yield f"    hash{number} <= next{number};"
    yield f"    updates{number} <= updates{number} + 1;"
    yield f"    if (updates{number} == {updates - 1}) begin"
    yield f"      if (next{number} !== hashes[{number * samples} + sample{number}]) begin"
    yield "        faults <= faults + 1;"
    title = layer.name.replace("\\", "").replace('"', "").replace("%", "%%")
    yield f'        $display("layer {title}: vector %0d differs", sample{number});'
    yield "      end"
    yield f"      hash{number} <= 0;"
    yield f"      updates{number} <= 0;"
    yield f"      sample{number} <= sample{number} + 1;"
    yield "    end"
    yield "  end"
