"""What verbs print: tables for people, JSON for machines, progress on terminals only."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from arlif.base.errors import require
from arlif.base.files import json_text
from arlif.base.numerals import whole
from hw_sim.cli.boxes import boxed
from hw_sim.cli.tables import csv_text, latex_text

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print the tables as CSV, nothing else.")]
LatexOption = Annotated[bool, typer.Option("--latex", help="Print the tables as LaTeX.")]

WIDEST = 10_000
"""What a table may take where there is no terminal that holds it back."""
READABLE, NARROWEST = 24, 8
"""What folding leaves of a column of text, while there are wider ones and at last."""

MESSAGES = Console(emoji=False)  # names like my.py:a:b are none
ERRORS = Console(stderr=True, emoji=False)


class Output:
    """Where a verb's result goes.

    as_json, as_csv, as_latex: nothing is printed but one JSON document, or the tables as CSV or
    LaTeX. Raises ArlifError where more than one of them is asked for.
    """

    def __init__(self, as_json: bool, as_csv: bool = False, as_latex: bool = False) -> None:
        require(
            as_json + as_csv + as_latex <= 1,
            "--json, --csv and --latex are three forms of one output; give one of them",
        )
        self.as_json, self.as_csv, self.as_latex = as_json, as_csv, as_latex
        self._bar: Progress | None = None

    def say(self, message: str) -> None:
        """One line for people; a bar that is shown makes way for it."""
        if not self.for_people:
            return
        if self._bar:
            self._bar.stop()
        MESSAGES.print(message, markup=False, highlight=False, soft_wrap=True)
        if self._bar:
            self._bar.start()

    def say_fewer(self, asked: int | None, found: int) -> None:
        """Where there are fewer samples than were asked for, say so, and the rule."""
        if asked is not None and found < asked:
            self.say(
                f"--samples takes at most what there is: {asked:,} were asked for, all {found:,} "
                "were taken"
            )

    @property
    def for_people(self) -> bool:
        """Whether no program asked for a form of its own."""
        return not (self.as_json or self.as_csv or self.as_latex)

    @property
    def plain(self) -> bool:
        """Whether lines stand in for a progress bar: people read, but not on a terminal."""
        return self.for_people and not MESSAGES.is_terminal

    def count(self, value: float) -> str:
        """A whole number for a table: short for people, exact in CSV."""
        return f"{round(value):,}" if self.as_csv else whole(value)

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """A table for people: columns of numbers to the right, text to the left."""
        if self.as_json:
            return
        lines = [columns, *rows]
        numbers = [i > 0 and all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
        if self.as_csv or self.as_latex:
            typer.echo(
                csv_text(title, columns, rows)
                if self.as_csv
                else latex_text(title, columns, rows, numbers)
            )
            return
        room = MESSAGES.width if MESSAGES.is_terminal else WIDEST
        widths = _widths(lines, numbers, room - 3 * len(columns) - 1)
        table = boxed(MESSAGES, title, columns, rows, widths, numbers)
        MESSAGES.print(table, crop=False)

    def result(self, content: Any) -> None:
        """The whole result, for machines."""
        if self.as_json:
            typer.echo(json_text(content))

    @contextmanager
    def progress(self, title: str) -> Iterator[Any]:
        """A bar on standard error, on terminals only: yields update(done, total)."""
        shown = ERRORS.is_terminal and self.for_people
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=ERRORS, transient=True, disable=not shown) as bar:
            task = bar.add_task(title, total=None)
            self._bar = bar if shown else None
            try:
                yield lambda done, total: bar.update(task, completed=done, total=total)
            finally:
                self._bar = None


def _widths(lines: list[list[str]], numbers: list[bool], room: int) -> list[int]:
    """The columns' widths within `room`, the widest folded first; numbers are never folded.

    In this order: between words; text within words, names (the first column) last; numbers' heads.
    """
    columns = list(zip(*lines, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    heads = [_longest_word(head) for head, *_ in columns]
    cells = [
        max((cell_len(cell) if number else _longest_word(cell) for cell in body), default=1)
        for number, (_, *body) in zip(numbers, columns, strict=True)
    ]
    texts = [index for index, number in enumerate(numbers) if not number]
    for foldable, least in (
        (range(len(columns)), list(map(max, heads, cells))),
        (texts, [READABLE] * len(columns)),
        (texts[1:], [max(NARROWEST, head) for head in heads]),
        (texts[:1], [NARROWEST] * len(columns)),
        (range(len(columns)), [max(1, cell) for cell in cells]),
    ):
        while sum(widths) > room and (wide := [i for i in foldable if widths[i] > least[i]]):
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _is_number(cell: str) -> bool:
    """Whether it is empty or begins with a digit and holds no words: 17 of 256, 3 x 32 x 32."""
    begins = not cell or cell.lstrip("+-")[:1].isdigit()
    return begins and not re.search("[^\\W\\d]{3}", cell)
