"""arlif train: from a recipe to a trained network."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent


def train(
    run: RunArgument,
    recipe: Annotated[str, typer.Option(help="A recipe's name.")] = "digits",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Replace a value of the recipe: key=value.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue from the last finished epoch.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Start anew where RUN holds a run.")] = False,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    devices: Annotated[int, typer.Option(help="Devices to train on; more than one uses DDP.")] = 1,
    cross_check: Annotated[
        int, typer.Option(min=0, help="Every so many epochs, check integers and Lava beside.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a network by a recipe; writes config.json, metrics.csv, checkpoints, model.pt."""
    from arlif import training

    output = Output(as_json)
    changes = dict(training.parse_change(text) for text in change or ())
    chosen = training.load_recipe(recipe, changes)
    callbacks = _cross_check(run, cross_check) if cross_check else ()
    summary = training.train(
        chosen, run, resume, overwrite, data, devices=devices, callbacks=callbacks
    )
    output.say(
        f"trained {recipe} for {summary.epochs} epochs in {summary.seconds:.0f} s: test accuracy "
        f"{percent(summary.last_accuracy)} (best epoch {summary.best_epoch}: "
        f"{percent(summary.best_accuracy)})"
    )
    output.result(asdict(summary))


def _cross_check(run: Path, every: int) -> tuple[Any, ...]:
    from hw_sim.crosscheck.callback import CrossCheck

    return (CrossCheck(run, every),)
