"""resources_run: what an exported network takes of named targets, and whether it fits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arlif.run_folder import Run
from export.file_formats import VERILOG
from hw_sim.engines.deployed.fpga import DEVICES, Fit, fitted


def resources_run(folder: Path, targets: Sequence[str], place: bool = False) -> dict[str, Any]:
    """Synthesize verilog/ for every target; writes nothing.

    targets: see hw_sim.engines.deployed.fpga.DEVICES. place: also place and route, for the clock.
    Raises ArlifError where verilog/ is missing or older than the network, or a target is unknown;
    SimulationError where a tool is missing.
    """
    path = Run(folder).require_fresh(VERILOG)
    rows = [_row(fitted(path, target, place)) for target in targets]
    return {"fits": all(row["fits"] for row in rows), "targets": rows}


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
