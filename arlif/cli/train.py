"""arlif train: from a recipe to a trained network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent

if TYPE_CHECKING:
    from hw_sim.crosscheck.result import Check

CHECK_SAMPLES, CHECK_LAVA = 256, 8
"""Test samples of a cross-check, and those of them that Lava runs."""


def train(
    run: RunArgument,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe's name; digits, or with --resume the run's own, if none."),
    ] = None,
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
    cross_check_samples: Annotated[
        int, typer.Option(min=1, help="Test samples of a check.")
    ] = CHECK_SAMPLES,
    cross_check_lava: Annotated[
        int, typer.Option(min=1, help="How many of them Lava runs too.")
    ] = CHECK_LAVA,
    as_json: JsonOption = False,
) -> None:
    """Train a network by a recipe; writes config.json, metrics.csv, checkpoints, model.pt."""
    from arlif import training
    from arlif.training.lines import EpochLines
    from hw_sim.crosscheck.callback import CrossCheck
    from hw_sim.crosscheck.result import check_to_mapping

    output = Output(as_json)
    changes = dict(training.parse_change(text) for text in change or ())
    if resume and recipe is None:
        chosen = training.change_recipe(training.read_recipe(run), changes)
    else:
        chosen = training.load_recipe(recipe or "digits", changes)
    if cross_check > chosen.epochs:
        output.say(
            f"no check fits: they come every {cross_check} epochs, of which there are "
            f"{chosen.epochs}; take a smaller --cross-check"
        )
    lines = (EpochLines(output.say),) if output.plain else ()
    callbacks = (
        (CrossCheck(run, cross_check, cross_check_samples, cross_check_lava),)
        if cross_check
        else ()
    )
    summary = training.train(
        chosen, run, resume, overwrite, data, devices=devices, callbacks=(*lines, *callbacks)
    )
    output.say(
        f"trained {run} on {summary.samples} for {summary.epochs} epochs in "
        f"{summary.seconds:.0f} s: test accuracy {percent(summary.last_accuracy)} (best epoch "
        f"{summary.best_epoch}: "
        f"{percent(summary.best_accuracy)})"
    )
    checks = [check for callback in callbacks for check in callback.checks]
    _show_checks(output, checks)
    output.result(asdict(summary) | {"checks": [check_to_mapping(check) for check in checks]})


def _show_checks(output: Output, checks: Sequence["Check"]) -> None:
    """How many checks ended how, and why some failed."""
    if checks:
        verdicts = Counter(check.verdict for check in checks)
        output.say(f"checks: {', '.join(f'{n} {verdict}' for verdict, n in verdicts.items())}")
    for check in checks:
        if check.verdict == "failed":
            output.say(f"    epoch {check.epoch} failed: {check.message}")
