"""The points of a sweep: sweep.json, and what is read off them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

from arlif.artifacts import SWEEP
from arlif.base.bounded import Amount, Share
from arlif.base.errors import require
from arlif.base.plain_data import STRICT, to_mapping
from arlif.core.network import require_time_steps
from arlif.quantize import Precision
from arlif.run_content import checked
from arlif.run_folder import Run

DRAWN = "integer"
"""The cost model on the axis of a sweep's figures: it prices bit widths and neurons' arithmetic."""


@dataclass(frozen=True)
class SweepRow:
    """One point: what was chosen, and what it gives and costs per inference.

    energy_uj: by model. Raises ArlifError where no network has such weights or steps.
    """

    weight_bits: int
    time_steps: int
    accuracy: Share
    synaptic_operations: Amount
    energy_uj: dict[str, Amount]

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        Precision(weight_bits=self.weight_bits)
        require_time_steps(self.time_steps)


@dataclass(frozen=True)
class Sweep:
    """Everything in sweep.json: the points that were asked for last, and what was measured.

    arlif: the version that measured. samples: how many of the dataset. rows: in the order of bit
    widths, then time steps; those of earlier questions too. Raises ArlifError where a point stands
    there twice, or where points are priced by different models, or without DRAWN.
    """

    arlif: str
    dataset: str
    samples: int
    weight_bits: tuple[int, ...]
    time_steps: tuple[int, ...]
    rows: tuple[SweepRow, ...] = ()

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            len(self.points) == len(set(self.points)),
            f"each point of a sweep is asked for once, which {self.points} are not",
        )
        done = [(row.weight_bits, row.time_steps) for row in self.rows]
        require(
            len(done) == len(set(done)),
            f"each row of a sweep is of another point, which {done} are not",
        )
        models = {tuple(row.energy_uj) for row in self.rows}
        require(
            len(models) <= 1 and all(DRAWN in names for names in models),
            f"rows are priced by the same models, {DRAWN} among them, not {models}",
        )

    @property
    def points(self) -> list[tuple[int, int]]:
        """Every combination of weight bits and time steps."""
        return list(product(self.weight_bits, self.time_steps))

    @property
    def measured(self) -> dict[tuple[int, int], SweepRow]:
        """The rows by their points."""
        return {(row.weight_bits, row.time_steps): row for row in self.rows}

    @property
    def answer(self) -> tuple[SweepRow, ...]:
        """The rows of the points that were asked for, in their order."""
        return tuple(self.measured[point] for point in self.points if point in self.measured)

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The points that are still to be measured."""
        return [point for point in self.points if point not in self.measured]

    @property
    def unfinished(self) -> str:
        """How far a sweep has come; nothing where no point is missing."""
        return f"{len(self.answer)} of {len(self.points)} points" if self.missing else ""

    def with_row(self, row: SweepRow) -> "Sweep":
        """The same with one more point measured."""
        rows = sorted((*self.rows, row), key=lambda row: (row.weight_bits, row.time_steps))
        return replace(self, rows=tuple(rows))

    def differs(self, other: "Sweep") -> list[str]:
        """What keeps the rows of another sweep from being rows of this one."""
        names = ("arlif", "dataset", "samples")
        return [name for name in names if getattr(self, name) != getattr(other, name)]


def read_sweep(run: Run) -> Sweep:
    """A run's sweep.json. Raises ArlifError where it is missing or of another version."""
    return checked(run, Sweep, run.read_object(SWEEP), SWEEP)


def write_sweep(run: Run, sweep: Sweep) -> None:
    """Write sweep.json, atomically."""
    run.write_json(SWEEP, to_mapping(sweep))
    run.record(SWEEP)


def cheapest(rows: Sequence[SweepRow], accuracy: float, model: str) -> SweepRow | None:
    """The point of least energy that reaches an accuracy; None where none does.

    Taken for several networks at one accuracy, it compares neurons at equal accuracy.
    """
    enough = [row for row in rows if row.accuracy >= accuracy]
    return min(enough, key=lambda row: row.energy_uj[model], default=None)


def front(rows: Sequence[SweepRow], model: str) -> list[SweepRow]:
    """The points that no other one beats: in the order of energy, accuracy rises from each."""
    best: list[SweepRow] = []
    for row in sorted(rows, key=lambda row: (row.energy_uj[model], -row.accuracy)):
        if not best or row.accuracy > best[-1].accuracy:
            best.append(row)
    return best
