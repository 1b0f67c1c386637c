"""What verbs print: tables for people, JSON for machines, progress on terminals only."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

MESSAGES = Console()
ERRORS = Console(stderr=True)


class Output:
    """Where a verb's result goes; with `as_json` nothing but one JSON document is printed."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, message: str) -> None:
        """One line for people."""
        if not self.as_json:
            MESSAGES.print(message, markup=False, highlight=False, soft_wrap=True)

    @property
    def plain(self) -> bool:
        """Whether lines stand in for a progress bar: people read, but not on a terminal."""
        return not self.as_json and not MESSAGES.is_terminal

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """A table for people: columns of numbers to the right, text to the left."""
        if self.as_json:
            return
        table = Table(title=title, title_justify="left")
        for index, column in enumerate(columns):
            numbers = index > 0 and all(_is_number(row[index]) for row in rows)
            table.add_column(column, justify="right" if numbers else "left", no_wrap=index == 0)
        for row in rows:
            table.add_row(*row)
        MESSAGES.print(table)

    def result(self, content: Any) -> None:
        """The whole result, for machines."""
        if self.as_json:
            typer.echo(json.dumps(content, indent=2))

    @contextmanager
    def progress(self, title: str) -> Iterator[Any]:
        """A bar on standard error, on terminals only: yields update(done, total)."""
        shown = ERRORS.is_terminal and not self.as_json
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=ERRORS, transient=True, disable=not shown) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("+-")[:1].isdigit()


def percent(fraction: float) -> str:
    """A fraction as a percentage with two digits."""
    return f"{100 * fraction:.2f} %"


def measured_line(measured: dict[str, Any]) -> str:
    """What the energy sensors of this machine saw, and which are absent (hw_sim.energy.sensors)."""
    energy = [f"{name} {uj:,.1f} uJ" for name, uj in measured["energy_uj"].items()]
    absent = [f"{name} absent ({reason})" for name, reason in measured["absent"].items()]
    return f"measured per inference: {', '.join(energy + absent)}"
