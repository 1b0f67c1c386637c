"""arlif summary: the layers of a network, what they hold and what they cost."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arlif.artifacts import CONFIG
from arlif.base.errors import require
from arlif.run_folder import Run
from hw_sim.cli.output import CsvOption, JsonOption, LatexOption, Output
from hw_sim.cli.parameters import ChangeOption


def summary(
    what: Annotated[
        str, typer.Argument(metavar="RECIPE|RUN", help="A recipe's name or file, or a run.")
    ],
    change: ChangeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_latex: LatexOption = False,
) -> None:
    """Show a network's layers: shapes, parameters, neurons, multiply-accumulates per time step."""
    from arlif import training
    from arlif.networks import summarize

    output = Output(as_json, as_csv, as_latex)
    changes = training.parse_changes(change or ())
    run = Run(Path(what))
    if run.has(CONFIG) or run.imported:
        require(not changes, f"{what} is a run, which is as it is; --set changes a recipe")
        recipe = training.read_recipe(run.folder)
    else:
        recipe = training.load_recipe(what, changes)
    network = summarize(recipe.network())
    totals = {
        "parameters": network.parameters,
        "neurons": network.neurons,
        "macs": network.macs,
        "flops": network.flops,
    }
    output.table(
        f"{what}: {recipe.architecture.kind}, {recipe.neuron.label}, T = {recipe.time_steps}",
        ["layer", "kind", "output", "parameters", "neurons", "MACs"],
        [
            [
                layer.name,
                layer.kind,
                " x ".join(str(size) for size in layer.output),
                *(f"{n:,}" if n else "" for n in (layer.parameters, layer.neurons, layer.macs)),
            ]
            for layer in network.layers
        ],
    )
    output.say(
        f"{network.parameters:,} parameters, {network.neurons:,} neurons; per time step "
        f"{network.macs:,} multiply-accumulates, {network.flops:,} FLOPs"
    )
    output.result(totals | {"layers": [asdict(layer) for layer in network.layers]})
