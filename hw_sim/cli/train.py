"""arlif train: from a recipe to a trained network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from arlif.base.errors import require
from arlif.base.numerals import counted, percent
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import ChangeOption, DataOption
from hw_sim.crosscheck.amount import SAMPLES, TIME_LIMIT_S, TRACED

if TYPE_CHECKING:
    from hw_sim.crosscheck.callback import CrossCheck
    from hw_sim.crosscheck.result import Check


def train(
    run: RunArgument,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe's name; default digits, with --resume the run's own."),
    ] = None,
    change: ChangeOption = None,
    resume: Annotated[bool, typer.Option(help="Continue from the last finished epoch.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Start anew where RUN holds a run.")] = False,
    data_folder: DataOption = None,
    devices: Annotated[int, typer.Option(help="Devices to train on; more than one uses DDP.")] = 1,
    cross_check: Annotated[
        int, typer.Option(min=0, help="Every so many epochs, check integers and Lava beside.")
    ] = 0,
    cross_check_samples: Annotated[
        int | None, typer.Option(min=1, help=f"Test samples of a check; default {SAMPLES}.")
    ] = None,
    cross_check_lava: Annotated[
        int | None, typer.Option(min=1, help=f"How many of them Lava runs too; default {TRACED}.")
    ] = None,
    cross_check_time_limit: Annotated[
        float | None, typer.Option(help=f"Seconds for a check; default {TIME_LIMIT_S:g}.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network by a recipe; writes config.json, metrics.csv, checkpoints, model.pt."""
    from arlif import training
    from arlif.base.plain_data import to_mapping
    from arlif.training.epoch_lines import EpochLines
    from hw_sim.crosscheck.callback import CrossCheck

    output = Output(as_json)
    asked = (cross_check_samples, cross_check_lava, cross_check_time_limit)
    require(
        bool(cross_check) or asked == (None, None, None),
        "--cross-check-samples, --cross-check-lava and --cross-check-time-limit are for "
        "--cross-check; say every how many epochs, or leave them out",
    )
    changes = training.parse_changes(change or ())
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
    samples = cross_check_samples or SAMPLES
    traced = cross_check_lava or min(TRACED, samples)
    limit = TIME_LIMIT_S if cross_check_time_limit is None else cross_check_time_limit
    checker = (
        CrossCheck(run, cross_check, samples, traced, time_limit_s=limit) if cross_check else None
    )
    callbacks = (*lines, checker) if checker else lines
    summary = training.train(
        chosen, run, resume, overwrite, data_folder, devices=devices, callbacks=callbacks
    )
    output.say(
        f"trained {run} on {summary.samples} for {counted(summary.epochs, 'epoch')} in "
        f"{summary.seconds:.0f} s: test accuracy {percent(summary.last_accuracy)} (best epoch "
        f"{summary.best_epoch}: "
        f"{percent(summary.best_accuracy)})"
    )
    checks = _finish(output, checker) if checker else []
    _show_checks(output, checks)
    output.result(asdict(summary) | {"checks": [to_mapping(check) for check in checks]})


def _finish(output: Output, checker: "CrossCheck") -> Sequence["Check"]:
    """All checks of the run, once those that are left have ended."""
    with output.progress("checks") as update:

        def show(done: int, total: int) -> None:
            if not done:
                output.say(f"checks that still run or wait: {total}; Ctrl-C drops them")
            update(done, total)

        checker.finish(show)
    return checker.checks


def _show_checks(output: Output, checks: Sequence["Check"]) -> None:
    """How many checks ended how, why some failed or were dropped, what the last one measured."""
    from hw_sim.crosscheck.result import Verdict

    if checks:
        verdicts = Counter(check.verdict for check in checks)
        output.say(f"checks: {', '.join(f'{n} {verdict}' for verdict, n in verdicts.items())}")
    for check in checks:
        if check.verdict in (Verdict.FAILED, Verdict.DROPPED):
            output.say(f"    epoch {check.epoch} {check.verdict}: {check.message}")
    measured = [(check.epoch, check.figures) for check in checks if check.figures]
    if measured:
        epoch, last = measured[-1]
        energy = [f"{model} {uj['integer']:,.4f}" for model, uj in last.energy_uj.items()]
        output.say(
            f"    epoch {epoch}: accuracy {percent(last.float_accuracy)} in floating point, "
            f"{percent(last.fixed_accuracy)} in integers; uJ per inference: {', '.join(energy)}"
        )
