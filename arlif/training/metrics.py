"""The record of a training run: one row per epoch in metrics.csv, the same in TensorBoard."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.base.files import json_text, write_text
from arlif.run_folder import CONFUSION, METRICS, Run

ALWAYS = {"epoch", "train_loss", "test_loss", "test_accuracy", "seconds"}
"""What every row holds."""

RATE = "rate/"
"""What columns start with that hold the spike rate of a layer, whose name follows."""


class Metrics:
    """metrics.csv of a run, its TensorBoard events and confusion.csv.

    run: the run directory. epochs: rows of earlier epochs that are kept; later ones are dropped.
    Raises ArlifError where earlier ones are missing.
    """

    def __init__(self, run: Path, epochs: int = 0) -> None:
        from arlif.training.scalars import Scalars

        self.run = Run(run)
        self.rows = read_metrics(run)[:epochs] if epochs else []
        require(
            len(self.rows) == epochs,
            f"{self.run.path(METRICS)} holds {len(self.rows)} of the {epochs} epochs that were "
            "trained; put the whole file back, or start the run anew (--overwrite)",
        )
        self._scalars = Scalars(run / "tensorboard", epochs + 1)

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
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        rows = [
            [int(row[name]) if name == "epoch" else row.get(name, "") for name in columns]
            for row in self.rows
        ]
        _write_table(self.run.path(METRICS), [columns, *rows])
        self._scalars.add(int(changed["epoch"]), changed)

    def add_confusion(self, confusion: NDArray[np.int64], classes: Sequence[str]) -> None:
        """Write the confusion matrix: labels down, decisions across."""
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
    except (OSError, ValueError, TypeError, csv.Error):
        rows = [{}]
    whole = all(row.keys() >= ALWAYS and row["epoch"] == n for n, row in enumerate(rows, 1))
    require(
        whole,
        f"{path} is damaged: it is no table with a row of numbers for each epoch; put the whole "
        "file back, or train anew (--overwrite)",
    )
    return rows


def _write_table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())
