"""What stands beside network.v: Makefile, constraint stubs, README."""

from export.verilog.incoming import VALUE_BITS
from export.verilog.placement import Layer, Plan
from export.verilog.top import TAPS, TOP, in_bits, input_place, out_bits, user_bits

OVERHEAD = 12
"""Clocks of a time step beside events, neurons and the pipeline, at most."""

FAMILIES = {
    "ice40": "synth_ice40",
    "ecp5": "synth_ecp5",
    "xilinx": "synth_xilinx -family xc7",
    "gowin": "synth_gowin",
}

CONSTRAINTS = {
    "network.sdc": "create_clock -name clk -period 10.0 [get_ports clk]\n",
    "network.xdc": "create_clock -name clk -period 10.0 [get_ports clk]\n"
    "# set_property -dict {PACKAGE_PIN E3 IOSTANDARD LVCMOS33} [get_ports clk]\n",
    "network.lpf": 'FREQUENCY PORT "clk" 100 MHZ;\n# LOCATE COMP "clk" SITE "G2";\n',
    "network.pcf": "# set_io clk J3\n",
}
"""Stubs: a clock of 100 MHz, and where pins go."""


def makefile() -> str:
    """sim, lint, and a synthesis for every family."""
    sources = "network.v $(wildcard lib/*.v)"
    lines = [
        "# sim: golden vectors in Icarus. sim-verilator: in Verilator 5. lint: Verilator, all",
        "# warnings. synth-FAMILY: yosys.",
        f"SOURCES = {sources}",
        "",
        "sim:",
        f"\tiverilog -g2005 -D{TAPS} -s tb -o tb.vvp tb.v $(SOURCES)",
        "\tvvp -n tb.vvp | tee sim.log",
        "\tgrep -q PASS sim.log",
        "",
        "sim-verilator:",
        f"\tverilator --binary --timing -Wno-fatal +define+{TAPS} --top-module tb -Mdir made "
        "tb.v $(SOURCES)",
        "\t./made/Vtb | tee sim.log",
        "\tgrep -q PASS sim.log",
        "",
        "lint:",
        f"\tverilator --lint-only -Wall --top-module {TOP} $(SOURCES)",
        "",
        *(
            line
            for family, command in FAMILIES.items()
            for line in (
                f"synth-{family}:",
                f"\tyosys -q -p 'read_verilog -defer $(SOURCES); {command} -top {TOP}; "
                f"tee -o {family}.stat stat; write_json {family}.json'",
                "",
            )
        ),
        ".PHONY: sim sim-verilator lint " + " ".join(f"synth-{family}" for family in FAMILIES),
        "",
    ]
    return "\n".join(lines)


def step_clocks(layer: Layer, updates: int) -> int:
    """Clocks of a time step of a layer, at most, whose events make so many updates."""
    return updates + layer.neurons + layer.pipeline.latency + OVERHEAD + len(layer.sources)


def memory_bits(layer: Layer) -> dict[str, int]:
    """Bits of a layer's memories by what they hold."""
    kept = sum(memory.size for memory in layer.memories.values())
    weights = sum(source.walk.weights.size for source in layer.sources)
    sums = layer.words * layer.lanes * layer.bits
    queues = sum(source.word_bits << source.log_depth for source in layer.sources)
    states = layer.state_bits * layer.neurons
    return {
        "weights": weights,
        "states": states,
        "sums": sums * len(layer.sums),
        "queues": queues,
        "other": kept - weights,
    }


def readme(plan: Plan) -> str:
    """Ports, the format of a beat, cycles and memories."""
    place, network = input_place(plan), plan.network
    low = VALUE_BITS
    x, y = low + place.x, low + place.x + place.y
    source = network.input
    rows = []
    for layer in plan.layers:
        bits = memory_bits(layer)
        rows.append(
            f"| {layer.number} | {' x '.join(map(str, layer.shape))} | {layer.lanes} | "
            f"{layer.bits} | {layer.pipeline.latency} | {step_clocks(layer, 0):,} | "
            + " | ".join(f"{bits[name]:,}" for name in bits)
            + " |"
        )
    state = "one frame, shown at every step" if source.static else "a frame at every step"
    user = user_bits(plan)
    fields = f"value {low - 1}..0 (signed), x {x - 1}..{low}, y {y - 1}..{x}, "
    fields += f"c {y + place.c - 1}..{y}"
    return "\n".join(
        [
            "# A spiking network in Verilog-2005",
            "",
            f"`network.v` holds the module `{TOP}` and what was printed for this network,",
            "`lib/` the parts that all networks share. `*.hex` fill the memories: simulators look",
            "for them in the folder they run in. `make sim` runs golden vectors in Icarus,",
            "`make lint` checks in Verilator, `make synth-ice40`, `-ecp5`, `-xilinx`, `-gowin`",
            "call yosys. The `.sdc`, `.xdc`, `.lpf` and `.pcf` files are stubs.",
            "",
            "## Ports",
            "",
            "| port | bits | meaning |",
            "|---|---|---|",
            "| `clk`, `rst` | 1 | clock; reset, synchronous, high |",
            f"| `s_axis_tdata` | {in_bits(plan)} | an event: {fields} |",
            "| `s_axis_tlast` | 1 | this beat is the last of its time step |",
            f"| `m_axis_tdata` | {out_bits(plan)} | a logit (signed), one class a beat |",
            f"| `m_axis_tuser` | {user} | the largest logit's class so far; at tlast: decision |",
            "| `m_axis_tlast` | 1 | the last class of a sample |",
            "",
            f"`tvalid` and `tready` are those of AXI-stream. The input is {state}, of shape",
            f"{source.shape}; a value stands for the real number value x {source.scale!r}. Values",
            "that are not sent are 0, value 0 adds nothing, and a time step without events is one",
            f"beat of value 0. Values are clamped to {source.low} to {source.high}, places outside",
            f"the shape are dropped. A sample has {network.time_steps} time steps; the next may",
            f"follow at once. With the macro `{TAPS}` the top has ports `tapL_valid`, `tapL_spike`",
            "and `tapL_0`, `tapL_1`, ...: every update of layer L, channels before columns before",
            "rows, with its spike and its state variables.",
            "",
            "## Clocks and memories",
            "",
            "A layer takes, for a time step, a clock for every update, one for every neuron, its",
            f"latency, at most {OVERHEAD} more and one for each source; layers work at the same",
            "time on different steps. An event makes an update for each output place that it",
            "reaches, times the blocks of LANES output channels. A still input is added once.",
            "",
            "| layer | channels x rows x columns | lanes | bits of a sum | latency "
            "| clocks without events | weights (bits) | states | sums | queues | other |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
