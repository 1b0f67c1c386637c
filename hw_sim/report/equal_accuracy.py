"""Networks side by side at equal accuracy, from their sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from arlif.artifacts import SWEEP
from arlif.base.errors import require
from arlif.run_folder import Run
from arlif.training import recipe_as_written
from hw_sim.origin.imported import read_imported
from hw_sim.pipeline.sweep_points import SweepRow, cheapest, read_sweep


def read_sweeps(runs: Sequence[Run]) -> dict[str, list[SweepRow]]:
    """The points that all sweeps have measured, by their networks and folders.

    Raises ArlifError where one is missing, unfinished or older than its network, where they saw
    other samples, or where they have no point in common.
    """
    measured, saw = {}, {}
    for run in runs:
        run.require(SWEEP)
        name = f"{_network(run)} ({run.folder})"
        sweep = read_sweep(run)
        require(
            not sweep.missing,
            f"{run.path(SWEEP)} is not finished, with {sweep.unfinished}; run it again: "
            f"{run.command(SWEEP)}",
        )
        saw[name] = f"{sweep.samples} samples of {sweep.dataset}"
        measured[name] = sweep.measured
    require(
        len(set(saw.values())) == 1,
        "sweeps can be compared where they saw the same samples, not "
        f"{', '.join(f'{what}: {name}' for name, what in saw.items())}; sweep again with one "
        "--samples",
    )
    common = sorted(set.intersection(*(set(points) for points in measured.values())))
    require(
        bool(common),
        f"the sweeps of {', '.join(measured)} have no point in common; sweep again with one "
        "--weight-bits and one --time-steps",
    )
    return {name: [points[point] for point in common] for name, points in measured.items()}


def _network(run: Run) -> str:
    """What tells a network from others: its neuron; of an imported one, where it came from."""
    if run.imported:
        return read_imported(run).name
    return str(recipe_as_written(run.folder)["neuron"]["name"])


def at_equal_accuracy(sweeps: Mapping[str, Sequence[SweepRow]]) -> dict[str, Any]:
    """The cheapest point of each network, by cost model, at an accuracy that all of them reach.

    That is the best accuracy of the least accurate network. points: how many of each.
    """
    best = {name: max(row.accuracy for row in rows) for name, rows in sweeps.items()}
    accuracy = min(best.values())
    networks = []
    for name, rows in sweeps.items():
        points = {model: cheapest(rows, accuracy, model) for model in rows[0].energy_uj}
        networks.append(
            {
                "network": name,
                "best_accuracy": best[name],
                "cheapest": {m: asdict(point) for m, point in points.items() if point},
            }
        )
    compared = min(len(rows) for rows in sweeps.values())
    return {"accuracy": accuracy, "points": compared, "networks": networks}
