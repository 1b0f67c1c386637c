"""resources_run: what an exported network takes of named targets, and whether it fits."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arlif.base.errors import require
from arlif.run_folder import NIR, Run
from export.c.c_manifest import read_manifest
from export.file_formats import VERILOG, C
from export.golden import golden
from export.nir import read_nir
from hw_sim.engines.deployed.boards import BOARDS
from hw_sim.engines.deployed.fpga import DEVICES, Fit, fitted
from hw_sim.engines.deployed.mcu_resources import Needs, cures, needs
from hw_sim.pipeline.defaults import DEFAULT_TARGETS

INPUTS = 3
"""Golden inputs whose instructions are counted."""


def resources_run(folder: Path, targets: Sequence[str] = (), place: bool = False) -> dict[str, Any]:
    """Build c/ for every microcontroller and verilog/ for every FPGA asked for; writes nothing.

    targets: names in hw_sim.engines.deployed.boards.BOARDS or fpga.DEVICES; by default all boards
    where there is c/, and DEFAULT_TARGETS where there is verilog/. place: also place and route, for
    the clock. Raises ArlifError where a folder is missing or older than the network, or a target is
    unknown; SimulationError where a tool is missing.
    """
    run = Run(folder)
    if not targets:
        targets = (*(BOARDS if run.has(C) else ()), *(DEFAULT_TARGETS if run.has(VERILOG) else ()))
        if not targets:
            run.require(C)
    unknown = [name for name in targets if name not in {*BOARDS, *DEVICES}]
    known = ", ".join((*BOARDS, *DEVICES))
    require(not unknown, f"there is no target {', '.join(unknown)}; there are {known}")
    rows = _boards(run, [name for name in targets if name in BOARDS])
    devices = [name for name in targets if name in DEVICES]
    rows += [_row(fitted(run.require(VERILOG), name, place)) for name in devices]
    return {"fits": all(row["fits"] for row in rows), "targets": rows}


def _boards(run: Run, names: list[str]) -> list[dict[str, Any]]:
    """The rows of microcontrollers."""
    if not names:
        return []
    path = run.require(C)
    network, manifest = read_nir(run.require(NIR)), read_manifest(path.parent)
    inputs, rows = golden(network, INPUTS).inputs, []
    with tempfile.TemporaryDirectory(prefix="arlif-resources-") as place:
        for name in names:
            processor = BOARDS[name].processor
            found = needs(path, processor, inputs, network.time_steps, Path(place))
            rows.append(_board_row(name, found, cures(BOARDS[name], found, manifest)))
    return rows


def _board_row(name: str, found: Needs, lacking: list[str]) -> dict[str, Any]:
    board, counts = BOARDS[name], found.instructions
    return {
        "target": name,
        "used": {"flash": found.flash, "RAM": found.memory + found.stack},
        "available": {"flash": board.flash, "RAM": board.ram},
        "source": board.source,
        "fits": not lacking,
        "cure": "; ".join(lacking),
        "processor": board.processor.name,
        "stack": found.stack,
        "instructions": {
            "least": min(counts),
            "mean": sum(counts) / len(counts),
            "most": max(counts),
        },
    }


def _row(fit: Fit) -> dict[str, Any]:
    return {
        "target": fit.target,
        "used": fit.used,
        "available": fit.has,
        "source": DEVICES[fit.target].source,
        "fits": not fit.lacks,
        "cure": _cure(fit.lacks),
        "mhz": fit.clock,
        "mhz_by_seed": list(fit.mhz),
    }


def _cure(lacks: dict[str, int]) -> str:
    if not lacks:
        return ""
    missing = ", ".join(f"{number:,} {name}" for name, number in lacks.items())
    return f"{missing} too many; export again with fewer --lanes, or use a larger device"
