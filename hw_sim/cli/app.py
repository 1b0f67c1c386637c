"""Puts the verbs together and turns errors into one clear line and an exit code."""

import shlex
import sys
from typing import Annotated, Any, NoReturn

import typer

import arlif
from arlif.base.errors import ArlifError
from arlif.base.files import json_text
from arlif.base.memory import enough_memory
from arlif.base.own_packages import not_ours
from hw_sim.cli import data, lava
from hw_sim.cli.ablate import ablate
from hw_sim.cli.calibrate import calibrate
from hw_sim.cli.check import check
from hw_sim.cli.compare import compare
from hw_sim.cli.demo import demo
from hw_sim.cli.energy import energy
from hw_sim.cli.evaluate import evaluate
from hw_sim.cli.exits import ExitCode
from hw_sim.cli.export import export
from hw_sim.cli.import_file import import_network
from hw_sim.cli.map_cores import map_cores
from hw_sim.cli.neurobench import neurobench
from hw_sim.cli.output import ERRORS
from hw_sim.cli.prove import prove
from hw_sim.cli.quantize import quantize
from hw_sim.cli.recipes import recipes
from hw_sim.cli.report import report
from hw_sim.cli.resources import resources
from hw_sim.cli.simulate import simulate
from hw_sim.cli.summary import summary
from hw_sim.cli.sweep import sweep
from hw_sim.cli.train import train
from hw_sim.cli.vectors import vectors
from hw_sim.cli.verify import verify

LONGEST = 4000
"""Letters of an error, at most."""

UsageError: Any = typer.BadParameter.__base__
"""What all wrong usage raises; typer shows it by its subclasses only."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"arlif {arlif.__version__}")
        raise typer.Exit


app = typer.Typer(
    name="arlif",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Adaptive-reset spiking networks from PyTorch to neuromorphic hardware, bit for bit.\n\n"
    "In this order: train, quantize, export, simulate, compare, energy, report. Each reads what "
    "the earlier ones wrote into the folder RUN. Of a trained network of yours: import, verify, "
    "report.",
)


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of arlif itself; its help stands above."""


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
    neurobench,
    report,
    verify,
    demo,
)
for verb in (*PIPELINE, prove, resources, vectors, recipes, summary, sweep, ablate):
    app.command()(verb)
app.command("map")(map_cores)
app.command("import")(import_network)
app.add_typer(lava.app, name="lava")


def run(arguments: list[str] | None = None) -> None:
    """Run a verb and exit with its code; see hw_sim.cli.main."""
    given = sys.argv[1:] if arguments is None else arguments
    if "" in given:  # which as a path would be the working directory
        line = shlex.join(["arlif", *given])
        _refuse("UsageError", f"no argument is empty; is a variable not set? given: {line}", given)
    try:
        with enough_memory("take fewer samples at a time, or a smaller network"):
            sys.exit(app(given, prog_name="arlif", standalone_mode=False))
    except ArlifError as error:
        _refuse(type(error).__name__, str(error), given)
    except ModuleNotFoundError as error:
        name = not_ours(error)
        reason = f"arlif needs the package {name}, which is not installed; install it with: pip "
        _refuse("MissingToolError", f"{reason}install {name}", given)
    except OSError as error:  # of paths that are no path, or that may not be looked at
        what = f"{error.filename}: " if error.filename else ""
        reason = f"{what}{error.strerror or error}; give another path, or change its permissions"
        _refuse(type(error).__name__, reason, given)
    except UsageError as error:
        rule = " ".join(error.format_message().split()).rstrip(".")
        if rule:  # none where help stands for it, as where no verb is given
            verb = error.ctx.command_path if error.ctx else "arlif"
            line = shlex.join(["arlif", *given])
            _refuse("UsageError", f"{rule}; given: {line}; see {verb} --help", given)
        sys.exit(ExitCode.BAD_INPUT)


def _refuse(kind: str, reason: str, given: list[str]) -> NoReturn:
    """One line for people; where JSON was asked for, the same as an object on standard output.

    A name of thousands of letters, out of a file, is cut; line breaks and the like are escaped.
    """
    if len(reason) > LONGEST:
        reason = f"{reason[: LONGEST // 2]} [...] {reason[-LONGEST // 2 :]}"
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in reason)
    ERRORS.print(f"error: {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    if "--json" in given:
        error = {"type": kind, "message": reason, "exit_code": int(ExitCode.BAD_INPUT)}
        typer.echo(json_text({"error": error}))
    sys.exit(ExitCode.BAD_INPUT)
