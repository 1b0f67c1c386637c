"""The record of a training run: one row per epoch in metrics.csv, the same in TensorBoard."""

import csv
import io
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.artifacts import CONFUSION, METRICS
from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import json_text, write_text
from arlif.run_folder import Run

ALWAYS = {"epoch", "train_loss", "test_loss", "test_accuracy", "seconds"}
"""What every row holds."""

RATE = "rate/"
"""What columns start with that hold the spike rate of a layer, whose name follows."""

CHECK = "check/"
"""What columns start with that hold what a check beside the training found, when it had ended."""

SHARES = ("test_accuracy", "train_accuracy")
"""Columns of 0 to 1, beside those of spike rates."""


class Metrics:
    """metrics.csv of a run, its TensorBoard events and confusion.csv.

    run: the run directory. rows: of the epochs that were trained before, which are written again.
    confusion: of the last epoch, once that has been trained.
    """

    def __init__(self, run: Path, rows: Sequence[dict[str, float]] = ()) -> None:
        from arlif.training.scalars import Scalars

        self.run, self.rows = Run(run), [*rows]
        self.confusion: NDArray[np.int64] | None = None
        self._scalars = Scalars(run / "tensorboard", len(rows) + 1)
        if rows:
            self._write_rows()

    def add_recipe(self, recipe: dict[str, Any]) -> None:
        """Show TensorBoard what is trained, as JSON."""
        self._scalars.add_text("recipe", f"```json\n{json_text(recipe)}\n```")

    def add(self, row: dict[str, float]) -> None:
        """Append one epoch's values; row["epoch"] counts from 1."""
        self.rows.append(row)
        self._write(row)

    def amend(self, epoch: int, values: dict[str, float]) -> None:
        """Add values measured since to the row of an earlier epoch; KeyError without one."""
        rows = {int(row["epoch"]): row for row in self.rows}
        rows[epoch].update(values)
        self._write({"epoch": float(epoch), **values})

    def _write(self, changed: dict[str, float]) -> None:
        self._write_rows()
        self._scalars.add(int(changed["epoch"]), changed)

    def _write_rows(self) -> None:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        rows = [
            [int(row[name]) if name == "epoch" else row.get(name, "") for name in columns]
            for row in self.rows
        ]
        _write_table(self.run.path(METRICS), [columns, *rows])

    def add_confusion(self, confusion: NDArray[np.int64], classes: Sequence[str]) -> None:
        """Write the confusion matrix: labels down, decisions across."""
        self.confusion = confusion
        rows = zip(classes, confusion.tolist(), strict=True)
        header = ["label, decided as", *classes]
        _write_table(self.run.path(CONFUSION), [header, *([name, *row] for name, row in rows)])


def read_metrics(run: Path) -> list[dict[str, float]]:
    """The rows of a run's metrics.csv, one per epoch; empty where there is none.

    A row lacks the values that were not measured in its epoch. Raises ArlifError on damage.
    """
    path = Run(run).path(METRICS)
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
        require_rows(rows)
    except (OSError, ValueError, TypeError, csv.Error):
        raise ArlifError(
            f"{path} is damaged: it is no table with a row of numbers for each epoch; put the "
            "whole file back, or train anew (--overwrite)"
        ) from None
    return rows


def require_rows(rows: Sequence[dict[str, float]]) -> None:
    """Raise FormatError unless these are rows that a training leaves, one for each epoch."""
    for number, row in enumerate(rows, 1):
        shares = [v for k, v in row.items() if k in SHARES or k.startswith(RATE)]
        require(
            row.keys() >= ALWAYS
            and row["epoch"] == number
            and all(map(isfinite, row.values()))
            and all(0 <= share <= 1 for share in shares)
            and row["seconds"] >= 0,
            f"the row of epoch {number} is none of a training",
            FormatError,
        )


def _write_table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())
