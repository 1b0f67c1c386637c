"""arlif demo: the whole pipeline on handwritten digits."""

from pathlib import Path
from typing import Annotated

import typer

from arlif.base.numerals import percent
from arlif.run_folder import Run
from hw_sim.cli import quantize as quantize_verb
from hw_sim.cli import verify as verify_verb
from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output
from hw_sim.engines.table import ENGINES

SHOWN = tuple(name for name, row in ENGINES.items() if row.demonstrated or not row.exact)
"""Engines that take seconds each, where they are installed."""


def demo(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")] = Path(
        "runs/demo"
    ),
    as_json: JsonOption = False,
) -> None:
    """Train on digits, quantize, export, simulate on every engine, compare, report."""
    from arlif import training
    from arlif.training.epoch_lines import EpochLines
    from hw_sim.pipeline import quantize_run
    from hw_sim.report import write_report

    output = Output(as_json)
    output.say("1/4 train: a small AR-LIF network on scikit-learn's handwritten digits, T = 4")
    lines = (EpochLines(output.say),) if output.plain else ()
    summary = training.train(training.load_recipe("digits"), run, overwrite=True, callbacks=lines)
    output.say(
        f"    test accuracy {percent(summary.last_accuracy)} after {summary.epochs} epochs, "
        f"{summary.seconds:.0f} s"
    )
    output.say("2/4 quantize: 8-bit weights, 16-bit states")
    quantize_verb.show(output, quantize_run(run))
    output.say("3/4 verify: export, simulate on every engine, compare with the integer engine")
    result = verify_verb.verified(output, run, engines=SHOWN)
    output.say("4/4 report")
    content = write_report(Run(run))
    output.say(f"report: {content['html']}")
    verify_verb.show(output, result)
    output.result(content)
    if not result["equal"]:
        raise typer.Exit(ExitCode.FOUND)
