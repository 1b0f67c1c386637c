"""arlif evaluate: the trained float network on the test split."""

from pathlib import Path
from typing import Annotated

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent


def evaluate(
    run: RunArgument,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the trained network: accuracy, confusion matrix, spike rates; writes nothing."""
    from arlif.run import MODEL, Run
    from arlif.training import load_trained
    from arlif.training.batches import Batches
    from arlif.training.evaluate import evaluate as evaluate_network

    Run(run).require(MODEL)
    output = Output(as_json)
    module, recipe = load_trained(run)
    dataset = recipe.load_data(data)
    result = evaluate_network(module, dataset.info, Batches(dataset.test, recipe.batch_size))
    classes = dataset.info.classes
    output.table(
        "Confusion: labels down, decisions across",
        ["", *classes],
        [
            [label, *(str(count) for count in row)]
            for label, row in zip(classes, result.confusion.tolist(), strict=True)
        ],
    )
    output.table(
        "Spike rate per neuron and time step",
        ["layer", "rate"],
        [[name, percent(rate)] for name, rate in result.rates.items()],
    )
    output.say(f"accuracy {percent(result.accuracy)}, loss {result.loss:.4f}")
    output.result(
        {
            "accuracy": result.accuracy,
            "loss": result.loss,
            "confusion": result.confusion.tolist(),
            "classes": list(classes),
            "spike_rate": result.rates,
        }
    )
