"""What a network takes of an FPGA: cells counted by yosys, the clock estimated by nextpnr."""

import json
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arlif.base.errors import SimulationError, require
from arlif.base.scratch import scratch
from export.verilog.top import TOP
from hw_sim.engines.deployed.fpga_devices import DEVICES, Device, Family
from hw_sim.engines.deployed.toolchain import YOSYS, Tool, run_tool

SEEDS = (1, 2, 3)
"""Of the placement; the clock is the median."""
TIME_LIMIT_S = 3600.0


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
