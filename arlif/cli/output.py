"""What verbs print: tables for people, JSON for machines, progress on terminals only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from arlif.digits import percent as percent
from arlif.files import json_text

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

WIDEST = 10_000
"""Columns of a table that nothing holds back."""

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
        table = Table(title=Text(title, style="italic"), title_justify="left")
        for index, column in enumerate(columns):
            cells = [row[index] for row in rows]
            numbers = index > 0 and all(map(_is_number, cells))
            uncut = cells if numbers or index == 0 else []
            table.add_column(
                Text(column),
                justify="right" if numbers else "left",
                min_width=max(map(cell_len, [*uncut, *column.split()])),
                overflow="fold",
            )
        for row in rows:
            table.add_row(*map(Text, row))
        MESSAGES.print(table, width=_width(table), crop=False)

    def result(self, content: Any) -> None:
        """The whole result, for machines."""
        if self.as_json:
            typer.echo(json_text(content))

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


def _width(table: Table) -> int:
    """The terminal's width, but not less than the table's numbers need; in a file all it needs."""
    needed = Measurement.get(MESSAGES, MESSAGES.options.update(width=WIDEST), table)
    return max(MESSAGES.width, needed.minimum if MESSAGES.is_terminal else needed.maximum)


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("+-")[:1].isdigit()


def measured_line(measured: dict[str, Any]) -> str:
    """What the energy sensors of this machine saw, and which are absent (hw_sim.energy.sensors)."""
    energy = [f"{name} {uj:,.1f} uJ" for name, uj in measured["energy_uj"].items()]
    absent = [f"{name} absent ({reason})" for name, reason in measured["absent"].items()]
    return f"measured per inference: {', '.join(energy + absent)}"
