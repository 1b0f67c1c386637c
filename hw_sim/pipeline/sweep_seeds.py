"""sweep_seeds: mean and spread of the sweeps of networks that differ in their seed alone."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from arlif.artifacts import CONFIG, MODEL, SWEEP
from arlif.base.errors import require
from arlif.run_folder import Run
from arlif.training import recipe_as_written


def require_seeds(folders: Sequence[Path]) -> dict[Path, int]:
    """The seed of each run. Raises ArlifError where they are not of one recipe and different seeds.

    It also names a run that is missing or was not trained here.
    """
    recipes = {}
    for folder in folders:
        run = Run(folder)
        run.require(MODEL)
        require(
            run.has(CONFIG),
            f"{folder} holds an imported network, and a spread over seeds is of trained runs; "
            "train the others with: arlif train RUN --set seed=N",
        )
        recipes[folder] = recipe_as_written(folder)
    first = recipes[folders[0]]
    wrong = {
        str(folder): sorted(
            n for n in {*first, *recipe} - {"seed"} if first.get(n) != recipe.get(n)
        )
        for folder, recipe in recipes.items()
    }
    others = [f"{folder} differs in {', '.join(names)}" for folder, names in wrong.items() if names]
    require(
        not others,
        f"a spread over seeds is of runs that differ from {folders[0]} in their seed alone; "
        f"{'; '.join(others)}; train the same recipe with: arlif train RUN --set seed=N",
    )
    seeds = {folder: recipe["seed"] for folder, recipe in recipes.items()}
    named = ", ".join(f"{folder}: {seed}" for folder, seed in seeds.items())
    require(
        len(folders) >= 2 and len({*seeds.values()}) == len(folders),
        f"a spread over seeds is of at least two runs, each of another seed, not {named}; name "
        "others, or train one with: arlif train RUN --set seed=N",
    )
    return seeds


def over_seeds(seeds: dict[Path, int], sweeps: dict[Path, dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation (n - 1) of every point, over what sweep_run gave for each run.

    seeds: of the runs, from require_seeds. Nothing is written: it is computed from the runs' own
    sweeps each time. In the result, runs: folder, seed and the digests of the network and of the
    sweep that the numbers are made from. Raises ArlifError where the sweeps saw other samples or
    are priced by other models.
    """
    saw = {str(f): f"{s['samples']} samples of {s['dataset']}" for f, s in sweeps.items()}
    require(
        len({*saw.values()}) == 1,
        "a spread over seeds is of sweeps that saw the same samples, not "
        f"{'; '.join(f'{f}: {what}' for f, what in saw.items())}; sweep all with one --samples",
    )
    priced = {str(f): ", ".join(sorted(s["rows"][0]["energy_uj"])) for f, s in sweeps.items()}
    require(
        len({*priced.values()}) == 1,
        "a spread over seeds is of sweeps that are priced by the same cost models, not "
        f"{'; '.join(f'{f}: {models}' for f, models in priced.items())}; remove their sweep.json "
        "and sweep again",
    )
    found = [*sweeps.values()]
    return {
        "runs": [
            {
                "run": str(folder),
                "seed": seed,
                "model": Run(folder).digest(MODEL),
                "sweep": Run(folder).digest(SWEEP),
            }
            for folder, seed in seeds.items()
        ],
        "dataset": found[0]["dataset"],
        "samples": found[0]["samples"],
        "rows": [_spread(rows) for rows in zip(*(s["rows"] for s in found), strict=True)],
    }


def _spread(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One point of all runs."""
    return {
        "weight_bits": rows[0]["weight_bits"],
        "time_steps": rows[0]["time_steps"],
        "accuracy": _mean_std([row["accuracy"] for row in rows]),
        "synaptic_operations": _mean_std([row["synaptic_operations"] for row in rows]),
        "energy_uj": {
            model: _mean_std([row["energy_uj"][model] for row in rows])
            for model in rows[0]["energy_uj"]
        },
    }


def _mean_std(values: Sequence[float]) -> dict[str, float]:
    return {"mean": mean(values), "std": stdev(values)}
