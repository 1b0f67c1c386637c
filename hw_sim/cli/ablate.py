"""arlif ablate: Table 2 of the paper, over seeds."""

from dataclasses import asdict
from typing import Annotated

import typer

from arlif.base.errors import require
from hw_sim.cli.output import CsvOption, JsonOption, LatexOption, Output, RunArgument
from hw_sim.cli.parameters import ChangeOption, DataOption


def ablate(
    run: RunArgument,
    recipe: Annotated[str, typer.Option(help="A recipe's name.")] = "digits",
    change: ChangeOption = None,
    dataset: Annotated[str | None, typer.Option(help="Another dataset than the recipe's.")] = None,
    neurons: Annotated[
        str | None,
        typer.Option(help="Other neurons than the paper's, with commas: names, my.py:MyNeuron."),
    ] = None,
    time_steps: Annotated[int | None, typer.Option(help="Another T than the recipe's.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 3,
    data_folder: DataOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_latex: LatexOption = False,
) -> None:
    """Train every variant of the reset; writes ablation.json, .md, .png; can be continued."""
    from arlif import training
    from arlif.training.ablation import COLUMNS, TABLE_2, table, title
    from arlif.training.ablation import ablate as run_ablation
    from arlif.training.epoch_lines import EpochLines

    output = Output(as_json, as_csv, as_latex)
    changes = training.parse_changes(change or ())
    if dataset is not None:
        changes["dataset"] = dataset
    if time_steps is not None:
        changes["time_steps"] = time_steps
    neuron = changes.get("neuron")
    fields = [f"neuron.{field}" for field in neuron] if isinstance(neuron, dict) else []
    for path, option in (("seed", "--seeds"), ("neuron.name", "--neurons")):
        require(
            path not in (*changes, *fields),
            f"an ablation takes several values of {path}, so --set {path} has no meaning; use "
            f"{option}",
        )
    chosen = training.load_recipe(recipe, changes)
    names = list(TABLE_2) if neurons is None else [name.strip() for name in neurons.split(",")]
    lines = (EpochLines(output.say),) if output.plain else ()
    numbers = range(1, seeds + 1)
    rows = run_ablation(chosen, run, names, numbers, data_folder, callbacks=lines)
    output.table(title(chosen, numbers), COLUMNS, table(rows))
    output.say(
        f"written to {run}: ablation.json and .md, layers.csv; ablation, spike-rates and what "
        "neurons learned as .png, .pdf, .svg"
    )
    output.result([asdict(row) for row in rows])
