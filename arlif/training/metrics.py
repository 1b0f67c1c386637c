"""The record of a training run: one row per epoch in metrics.csv, the same in TensorBoard."""

import csv
import io
from pathlib import Path

from arlif.files import write_text
from arlif.run import METRICS, Run


class Metrics:
    """metrics.csv of a run and its TensorBoard events.

    run: the run directory. epochs: rows of earlier epochs that are kept; later ones are dropped.
    """

    def __init__(self, run: Path, epochs: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = Run(run).path(METRICS)
        self.rows = read_metrics(run)[:epochs] if epochs else []
        self._writer = SummaryWriter(str(run / "tensorboard"), purge_step=epochs)

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
        text = io.StringIO()
        columns = dict.fromkeys(name for row in self.rows for name in row)
        table = csv.DictWriter(text, list(columns), lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        write_text(self.path, text.getvalue())
        for name, value in changed.items():
            self._writer.add_scalar(name, value, int(changed["epoch"]))
        self._writer.flush()

    def close(self) -> None:
        """Close the TensorBoard file."""
        self._writer.close()


def read_metrics(run: Path) -> list[dict[str, float]]:
    """The rows of a run's metrics.csv, one per epoch; empty where there is none.

    A row lacks the values that were not measured in its epoch.
    """
    path = Run(run).path(METRICS)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
