"""Puts the verbs together and turns errors into one clear line and an exit code.

0: good. 1: a mismatch was found. 2: bad input. 130: interrupted.
"""

import sys

import click
import typer

from arlif.cli import (
    compare,
    demo,
    export,
    lava,
    quantize,
    report,
    simulate,
    train,
)
from arlif.cli.output import ERRORS
from arlif.errors import ArlifError

app = typer.Typer(
    name="arlif",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Adaptive-reset spiking networks from PyTorch to neuromorphic hardware, bit for bit.",
)
for verb in (train, quantize, export, simulate, compare, report, demo):
    app.command()(getattr(verb, verb.__name__.rsplit(".", 1)[1]))
app.add_typer(lava.app, name="lava")

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        code = app(arguments, standalone_mode=False)
    except ArlifError as error:
        ERRORS.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        code = BAD_INPUT
    except click.ClickException as error:
        error.show()
        code = BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        ERRORS.print("interrupted; what was finished is kept, run the same command to go on")
        code = INTERRUPTED
    sys.exit(code)
