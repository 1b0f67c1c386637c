"""Networks side by side at equal accuracy, from their sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from arlif.errors import require
from arlif.run import CONFIG, SWEEP, Run
from hw_sim.sweep import SweepRow, cheapest, read_sweep


def read_sweeps(runs: Sequence[Run]) -> dict[str, list[SweepRow]]:
    """The sweeps of runs by their neuron and folder.

    Raises ArlifError where one is missing or older than its network, or they saw other samples.
    """
    sweeps, saw = {}, {}
    for run in runs:
        run.require_fresh(SWEEP)
        name = f"{run.read_json(CONFIG)['neuron']['name']} ({run.folder})"
        sweep = read_sweep(run)
        saw[name] = f"{sweep.samples} samples of {sweep.dataset}"
        sweeps[name] = list(sweep.rows)
    require(
        len(set(saw.values())) == 1,
        "sweeps can be compared where they saw the same samples, not "
        f"{', '.join(f'{what}: {name}' for name, what in saw.items())}; sweep again with one "
        "--samples",
    )
    return sweeps


def at_equal_accuracy(sweeps: Mapping[str, Sequence[SweepRow]]) -> dict[str, Any]:
    """The cheapest point of each network, by cost model, at an accuracy that all of them reach.

    That is the best accuracy of the least accurate network.
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
    return {"accuracy": accuracy, "networks": networks}
