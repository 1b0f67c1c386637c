"""resources_run: what an exported network takes of named targets, and whether it fits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arlif.artifacts import NIR, RESOURCES, Artifact
from arlif.base.errors import ArlifError, FormatError, MissingToolError, require
from arlif.base.scratch import scratch
from arlif.core.network import QuantizedNetwork
from arlif.run_folder import Run, writes
from export.c import COptions, Style, write_c
from export.c.c_manifest import read_manifest
from export.file_formats import VERILOG, C
from export.golden import golden
from export.nir import read_nir
from export.verilog.devices import CHIPS
from export.verilog.manifest import NAME
from export.verilog.manifest import read_manifest as read_verilog
from export.verilog.verilog_folder import write_verilog
from export.verilog.verilog_options import VerilogOptions
from hw_sim.comparison.lif_twin import lif_twin
from hw_sim.energy.neuron_titles import neuron_title
from hw_sim.engines.deployed.boards import BOARDS
from hw_sim.engines.deployed.fpga import Fit, fitted
from hw_sim.engines.deployed.fpga_devices import DEVICES
from hw_sim.engines.deployed.mcu_resources import Needs, cures, needs
from hw_sim.engines.work import Progress
from hw_sim.pipeline.defaults import DEFAULT_TARGETS

INPUTS = 3
"""Golden inputs whose instructions are counted."""


@writes("resources")
def resources_run(
    folder: Path,
    targets: Sequence[str] = (),
    place: bool = False,
    beside_lif: bool = False,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Build c/ for every microcontroller and verilog/ for every FPGA asked for.

    targets: names in hw_sim.engines.deployed.boards.BOARDS or fpga.DEVICES; by default all boards
    where there is c/, and DEFAULT_TARGETS where there is verilog/, but for those whose tools are
    missing, with what installs them under "not_installed". place: also place and route, for the
    clock. beside_lif: also the same network with LIF neurons. progress: called with (targets done,
    targets). What was found is kept in resources.json, beside what was found earlier of others.
    Raises ArlifError where a folder is missing or older than the network, or a target is unknown;
    SimulationError where a tool is missing.
    """
    run, asked = Run(folder), bool(targets)
    if not targets:
        targets = (*(BOARDS if run.has(C) else ()), *(DEFAULT_TARGETS if run.has(VERILOG) else ()))
        if not targets:
            run.require(C)
    unknown = [name for name in targets if name not in {*BOARDS, *DEVICES}]
    known = ", ".join((*BOARDS, *DEVICES))
    require(not unknown, f"there is no target {', '.join(unknown)}; there are {known}")
    made = {name: C if name in BOARDS else VERILOG for name in targets}
    paths = {name: run.require(artifact) for name, artifact in made.items()}
    network = read_nir(run.require(NIR))
    twin = lif_twin(network) if beside_lif else None
    rows, missing = [], {}
    with scratch() as build:
        for done, (name, path) in enumerate(paths.items()):
            progress(done, len(paths))
            about = {"made_from": run.digest(made[name])}
            try:
                rows.append(about | _measured(network, name, path, build, place))
            except MissingToolError as error:
                missing[name] = error
                continue
            if twin is not None:
                copy = written_alike(twin, made[name], path, build / "lif")
                rows.append(about | _measured(twin, name, copy, build, place))
    if missing and (asked or not rows):
        raise next(iter(missing.values()))
    run.write_json(RESOURCES, {"targets": _with_earlier(run, rows)})
    run.record(RESOURCES)
    return {
        "fits": all(row["fits"] for row in rows),
        "targets": rows,
        "not_installed": {name: error.cure for name, error in missing.items()},
    }


def read_resources(run: Run) -> list[dict[str, Any]]:
    """The rows of resources.json that are of what a run holds now; none where there is none.

    Raises ArlifError where the file is damaged.
    """
    if not run.is_current(RESOURCES):
        return []
    rows = run.read_object(RESOURCES).get("targets")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("made_from"), str) for row in rows
    ):
        raise FormatError(
            f"{run.path(RESOURCES)} holds no resources; write it again with: "
            f"{run.command(RESOURCES)}"
        )
    now = {run.digest(artifact) for artifact in (C, VERILOG) if run.is_fresh(artifact)}
    return [row for row in rows if row["made_from"] in now]


def _with_earlier(run: Run, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """These rows behind those of an earlier call of other targets or other neurons."""
    try:
        earlier = read_resources(run)
    except ArlifError:
        earlier = []
    new = {(row["target"], row["neurons"]) for row in rows}
    return [row for row in earlier if (row.get("target"), row.get("neurons")) not in new] + rows


def written_alike(network: QuantizedNetwork, artifact: Artifact, path: Path, place: Path) -> Path:
    """Another network exported as the one at `path` was."""
    copy = place / artifact.name
    if artifact is C:
        style = read_manifest(path.parent)
        write_c(network, copy, COptions(Style(style.style), 1, style.prefix))
    else:
        known = read_verilog(path.parent / NAME)
        write_verilog(network, copy, VerilogOptions(known.lanes, 1, known.fpga))
    return copy


def _measured(
    network: QuantizedNetwork, target: str, path: Path, build: Path, place: bool
) -> dict[str, Any]:
    """The row of a target: what an exported network takes of it."""
    about = {"target": target, "neurons": neurons_of(network)}
    if target in DEVICES:
        return about | _row(fitted(path, target, place))
    manifest, board = read_manifest(path.parent), BOARDS[target]
    inputs = golden(network, INPUTS).inputs
    found = needs(path, board, inputs, network.time_steps, build)
    lacking = cures(board, found, manifest)
    return about | {"memory": manifest.memory} | _board_row(target, found, lacking)


def neurons_of(network: QuantizedNetwork) -> str:
    """The kinds of neurons of a network, in words."""
    return ", ".join(dict.fromkeys(neuron_title(p.neuron) for p in network.populations))


def _board_row(name: str, found: Needs, lacking: list[str]) -> dict[str, Any]:
    board, counts = BOARDS[name], found.instructions
    return {
        "used": {"flash": found.flash, "RAM": found.ram},
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
        }
        if counts
        else None,
    }


def _row(fit: Fit) -> dict[str, Any]:
    return {
        "used": fit.used,
        "available": fit.has,
        "source": DEVICES[fit.target].source,
        "fits": not fit.lacks,
        "cure": _cure(fit),
        "mhz": fit.clock,
        "mhz_by_seed": list(fit.mhz),
    }


def _cure(fit: Fit) -> str:
    """What is missing, in shares too, and what gives it."""
    if not fit.lacks:
        return ""
    missing = ", ".join(
        f"{number:,} {name} too many ({fit.used[name] / max(1, fit.has[name]):.2f} times)"
        for name, number in fit.lacks.items()
    )
    ways = [f"export again with --fpga {fit.target}"] * (fit.target in CHIPS)
    ways += ["export again with fewer --lanes", "use a larger device"]
    return f"{missing}; {', '.join(ways[:-1])}, or {ways[-1]}"
