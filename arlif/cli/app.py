"""Puts the verbs together and turns errors into one clear line and an exit code.

0: good. 1: a mismatch was found. 2: bad input. 130: stopped by Ctrl-C.
"""

import sys

import typer

from arlif.cli import data, lava
from arlif.cli.ablate import ablate
from arlif.cli.calibrate import calibrate
from arlif.cli.check import check
from arlif.cli.compare import compare
from arlif.cli.demo import demo
from arlif.cli.energy import energy
from arlif.cli.evaluate import evaluate
from arlif.cli.export import export
from arlif.cli.import_file import import_network
from arlif.cli.map_cores import map_cores
from arlif.cli.output import ERRORS
from arlif.cli.quantize import quantize
from arlif.cli.recipes import recipes
from arlif.cli.report import report
from arlif.cli.simulate import simulate
from arlif.cli.summary import summary
from arlif.cli.sweep import sweep
from arlif.cli.train import train
from arlif.errors import ArlifError

app = typer.Typer(
    name="arlif",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Adaptive-reset spiking networks from PyTorch to neuromorphic hardware, bit for bit.",
)
app.add_typer(data.app, name="data")
PIPELINE = (
    train,
    evaluate,
    check,
    calibrate,
    quantize,
    export,
    simulate,
    compare,
    energy,
    report,
    demo,
)
for verb in (*PIPELINE, recipes, summary, sweep, ablate):
    app.command()(verb)
app.command("map")(map_cores)
app.command("import")(import_network)
app.add_typer(lava.app, name="lava")

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        app(arguments)
    except ArlifError as error:
        ERRORS.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(BAD_INPUT)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            ERRORS.print("stopped", highlight=False)
        raise
