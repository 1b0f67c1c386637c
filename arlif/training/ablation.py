"""Ablation over neurons and seeds (arXiv:2507.20746, Table 2): runs, table, plot."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from arlif.artifacts import CONFIG, METRICS, TRAINING
from arlif.base.errors import ArlifError, UnfinishedError, require
from arlif.base.files import write_text
from arlif.base.lock import InUseError, only_writer
from arlif.base.numerals import counted
from arlif.networks.user_neuron import class_of
from arlif.run_folder import Run
from arlif.training.finished import Summary, read_summary
from arlif.training.metrics import read_metrics
from arlif.training.plots import (
    layer_values,
    learned,
    learned_symbols,
    save,
    spike_rates,
    spread_figure,
)
from arlif.training.recipe import Recipe
from arlif.training.train import require_same_recipe, train

TABLE_2 = {
    "lif-hard": "LIF, hard reset",
    "lif-soft": "LIF, soft reset",
    "lif-learnable": "LIF, soft reset by a learned amount",
    "arlif-alpha1-theta1": "AR-LIF, alpha = 1 and theta = 1",
    "arlif-theta1": "AR-LIF, alpha learned, theta = 1",
    "arlif-alpha1": "AR-LIF, alpha = 1, theta learned",
    "arlif": "AR-LIF, alpha and theta learned",
}
"""The neurons of the ablation and how they are called in the table."""


@dataclass(frozen=True)
class AblationRow:
    """One neuron's test accuracies in percent, one per seed.

    last: of the last epoch, which we report. best: of the best epoch, as the paper reports.
    """

    neuron: str
    last: tuple[float, ...]
    best: tuple[float, ...]


def ablate(
    recipe: Recipe,
    folder: Path,
    neurons: Sequence[str] = tuple(TABLE_2),
    seeds: Sequence[int] = (1, 2, 3),
    data_folder: Path | None = None,
    accelerator: str = "auto",
    callbacks: tuple[Any, ...] = (),
) -> tuple[AblationRow, ...]:
    """Train `recipe` with every neuron and seed; nothing else differs between the runs.

    neurons: names, or files and classes of the user's own, my.py:MyNeuron. Every run lies in
    folder/<neuron>-<seed>, <neuron> being the class of the latter; finished ones are kept, an
    interrupted one continues; one of another recipe is refused. One that another process trains is
    left to it, so that several processes share the work, and looked at again after the others; who
    is without a run then says so.
    Writes ablation.json and ablation.md; layers.csv, every run's spike rates and what its neurons
    learned; and as .png, .pdf and .svg the figures ablation, spike-rates and, where a neuron
    learns, learned-<neuron>, the last two of the first seed's runs (Figs. 2 and 3).
    callbacks: more Lightning callbacks of every run. Raises ArlifError.
    """
    require(bool(neurons) and bool(seeds), "an ablation needs at least one neuron and one seed")
    recipes = [replace(recipe, neuron=replace(recipe.neuron, name=name)) for name in neurons]
    for values in ([class_of(name) for name in neurons], [str(seed) for seed in seeds]):
        twice = sorted({value for value in values if values.count(value) > 1})
        require(
            not twice,
            f"an ablation takes every neuron and every seed once, and {', '.join(twice)} is given "
            "twice",
        )
    require(
        not Run(folder).has(CONFIG) and not Run(folder).imported,
        f"{folder} holds a run; an ablation has runs of its own: give it another folder",
    )
    left = {
        _run_of(folder, neuron, seed): replace(changed, seed=seed)
        for neuron, changed in zip(neurons, recipes, strict=True)
        for seed in seeds
    }
    done: dict[Path, Summary] = {}
    while left:
        now = _runs_that_are_free(left, data_folder, accelerator, callbacks)
        left = {run: of_seed for run, of_seed in left.items() if run not in now}
        require(
            bool(now),
            f"the table of {folder} needs every run, and others train "
            f"{', '.join(run.name for run in left)}; start the same command again when they have "
            "ended",
        )
        done |= now
    rows = []
    for neuron in neurons:
        summaries = [done[_run_of(folder, neuron, seed)] for seed in seeds]
        rows.append(
            AblationRow(
                neuron,
                tuple(100 * summary.last_accuracy for summary in summaries),
                tuple(100 * summary.best_accuracy for summary in summaries),
            )
        )
    with only_writer(folder, "ablate"):
        _write(recipe, folder, neurons, seeds, rows)
    return tuple(rows)


COLUMNS = ["neuron", "last epoch", "best epoch"]


def title(recipe: Recipe, seeds: Sequence[int]) -> str:
    """What an ablation's table shows: of what, in which unit, over what."""
    spread = (
        f"mean ± standard deviation over the {len(seeds)} seeds {', '.join(map(str, seeds))}"
        if len(seeds) > 1
        else f"seed {seeds[0]}"
    )
    parts = ((recipe.train_per_class, "training"), (recipe.test_per_class, "test"))
    cut = [f", the first {count:,} {part} samples a class" for count, part in parts if count]
    trained = f"{recipe.dataset}, T = {recipe.time_steps}, {counted(recipe.epochs, 'epoch')}"
    return f"Test accuracy in %, {spread}: {trained}{''.join(cut)}"


def table(rows: Sequence[AblationRow]) -> list[list[str]]:
    """The cells below COLUMNS: mean and standard deviation over seeds, in percent."""
    return [[_label(row.neuron), _spread(row.last), _spread(row.best)] for row in rows]


def markdown(heading: str, rows: Sequence[AblationRow]) -> str:
    """The table as Markdown, below what it shows."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *table(rows)]
    return f"{heading}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def layers_table(folder: Path, neurons: Sequence[str], seeds: Sequence[int]) -> str:
    """Spike rates after the last epoch and what neurons learned after each, by layer, as CSV."""
    lines = ["neuron,seed,epoch,layer,what,value"]
    for neuron, seed in product(neurons, seeds):
        lines += [
            f"{class_of(neuron)},{seed},{epoch},{layer},{what},{value:.6g}"
            for epoch, layer, what, value in layer_values(_run_of(folder, neuron, seed))
        ]
    return "\n".join(lines) + "\n"


def _write(
    recipe: Recipe,
    folder: Path,
    neurons: Sequence[str],
    seeds: Sequence[int],
    rows: Sequence[AblationRow],
) -> None:
    write_text(folder / "ablation.json", json.dumps([asdict(r) for r in rows], indent=1) + "\n")
    write_text(folder / "ablation.md", markdown(title(recipe, seeds), rows))
    write_text(folder / "layers.csv", layers_table(folder, neurons, seeds))
    first = {name: _run_of(folder, name, seeds[0]) for name in neurons}
    figures = {
        "ablation": spread_figure({_label(row.neuron): row.last for row in rows}),
        "spike-rates": spike_rates({_label(name): run for name, run in first.items()}),
    }
    for name, run in first.items():
        if learned_symbols(read_metrics(run)[0]):
            figures[f"learned-{class_of(name)}"] = learned(run)
    for name, figure in figures.items():
        for kind in ("png", "pdf", "svg"):
            save(figure, folder / f"{name}.{kind}")


def _runs_that_are_free(
    recipes: Mapping[Path, Recipe],
    data_folder: Path | None,
    accelerator: str,
    callbacks: tuple[Any, ...],
) -> dict[Path, Summary]:
    """Train what no other process trains at its turn, or read how it ended."""
    done = {}
    for run, recipe in recipes.items():
        with suppress(InUseError), only_writer(run, "ablate"):
            done[run] = _run(recipe, run, data_folder, accelerator, callbacks)
    return done


def _run(
    recipe: Recipe,
    run: Path,
    data_folder: Path | None,
    accelerator: str,
    callbacks: tuple[Any, ...],
) -> Summary:
    home = Run(run)
    started = home.has(CONFIG)
    if started:
        require_same_recipe(recipe, run)
    if home.has(TRAINING):
        home.require(METRICS)
        return Summary(**read_summary(home, recipe))
    try:
        return train(
            recipe,
            run,
            resume=started,
            data_folder=data_folder,
            accelerator=accelerator,
            callbacks=callbacks,
        )
    except UnfinishedError as error:
        raise ArlifError(
            f"{run}: {error.reason}; start the same command again to continue"
        ) from None
    except ArlifError as error:
        raise ArlifError(f"{run}: {error}") from None


def _run_of(folder: Path, neuron: str, seed: int) -> Path:
    return folder / f"{class_of(neuron)}-{seed}"


def _label(neuron: str) -> str:
    return TABLE_2.get(neuron, class_of(neuron))


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{mean(values):.2f} ± {stdev(values):.2f}"
