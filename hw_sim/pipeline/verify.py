"""verify_run: one table of what survives where, on the user's own samples."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from arlif.artifacts import ENERGY, IMPORT, MODEL, NIR, Artifact
from arlif.base.errors import (
    ArlifError,
    FormatError,
    LoweringError,
    MissingToolError,
    SimulationError,
    WriteError,
)
from arlif.core.equality import fingerprint
from arlif.run_folder import Run, writes
from hw_sim.engines.table import ENGINES, INTEGER, Engine, find_engine
from hw_sim.engines.work import Progress
from hw_sim.origin.imported import read_imported
from hw_sim.pipeline.compare import compare_run, current_comparisons
from hw_sim.pipeline.defaults import TRACED_SAMPLES
from hw_sim.pipeline.energy import energy_run
from hw_sim.pipeline.export import export_file
from hw_sim.pipeline.quantize import quantize_run, read_quantized
from hw_sim.pipeline.samples import Samples, Selection
from hw_sim.pipeline.simulate import read_figures, simulate_run
from hw_sim.pipeline.verdict import same_samples, verdict

Watch = Callable[[str], AbstractContextManager[Progress]]
"""Shows how far a step is, by its name: yields update(done, total)."""

GOOD = ("reference", "equal", "not installed", "not possible")
"""What may be said of an exact engine where everything that ran is equal."""


@writes("verify")
def verify_run(
    folder: Path,
    selection: Selection = Selection(),
    traced: int = TRACED_SAMPLES,
    engines: Sequence[str] = tuple(ENGINES),
    watch: Watch = lambda step: nullcontext(lambda done, total: None),
    ended: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, Any]:
    """Do whatever is missing or outdated of quantize, export, simulate, compare, energy; judge.

    selection: which samples; of an imported run that is simulated or calibrated on own data, those
    by default. traced: of how many of the first samples spikes and states are compared. engines:
    which, beside the integer engine, that all are compared with. watch, ended: told of every step,
    and of every engine's row.
    equal: whether every exact engine that could run equals the integer engine in every bit.
    engines: a row for each. verdict: see hw_sim.pipeline.verdict.
    Raises ArlifError where there is no run, no data, or a file that is damaged.
    """
    asked = [row for row in ENGINES.values() if row.name in {find_engine(n).name for n in engines}]
    run = Run(folder)
    _quantize(run, selection.data_folder, watch)
    wanted = _Wanted(run, _chosen(run, selection), traced)
    rows = {INTEGER.name: _verified(wanted, INTEGER, watch)}
    ended(rows[INTEGER.name])
    for engine in asked:
        if engine is not INTEGER:
            rows[engine.name] = _verified(wanted, engine, watch)
            ended(rows[engine.name])
    if not run.is_fresh(ENERGY):
        with watch("energy"):
            energy_run(folder)
    told = [rows[name] for name in ENGINES if name in rows]
    return {
        "equal": all(row["outcome"] in GOOD for row in told if row["exact"]),
        "engines": told,
        "verdict": verdict(run),
    }


@dataclass(frozen=True, eq=False)
class _Wanted:
    """The samples that every engine is to have run."""

    run: Run
    selection: Selection
    traced: int

    def ran_by(self, engine: Engine) -> bool:
        """Whether an engine's current simulation is of these samples, with these labels.

        Of more of them, where the engine itself says how many it takes.
        """
        run = self.run
        if not (run.is_fresh(engine.traces) and run.is_fresh(engine.figures)):
            return False
        try:
            found = read_figures(run, engine)
        except ArlifError:
            return False
        count = found["samples"]
        asked, there = self.selection.limit, len(self._samples)
        enough = min(there, asked or engine.samples or there)
        labels = self._samples.labels
        return (
            (count == enough if asked else count >= enough)
            and found["traced"] >= min(self.traced, count)
            and self._samples.digests[:count] == found["inputs"]
            and (None if labels is None else fingerprint(labels[:count])) == found.get("all_labels")
        )

    @cached_property
    def _samples(self) -> Samples:
        return replace(self.selection, limit=None).load(self.run)[0]


def _quantize(run: Run, data_folder: Path | None, watch: Watch) -> None:
    """Integers of the float network that the run holds now, in the formats they had."""
    if run.is_fresh(NIR):
        return
    run.require(MODEL)
    found = read_quantized(run, earlier=True) or {}
    asked = (found.get("preset"), found.get("weight_bits"), found.get("qat_epochs", 0))
    with watch("quantize"):
        quantize_run(run.folder, *asked, data_folder=data_folder)


def _chosen(run: Run, given: Selection) -> Selection:
    """The samples asked for; else those that an imported run has seen already."""
    if given.inputs is not None or not run.imported:
        return given
    if run.is_current(INTEGER.traces):
        seen = Selection.from_json(read_figures(run, INTEGER)["source"])
        return replace(seen, limit=given.limit)
    kept = read_imported(run).calibrate if run.has(IMPORT) else None
    return replace(given, inputs=Path(kept)) if kept else given


def _verified(wanted: _Wanted, engine: Engine, watch: Watch) -> dict[str, Any]:
    """An engine's row: what it ran, how that went, and what differs from the integer engine."""
    outcome, reason = _ran(wanted, engine, watch)
    row: dict[str, Any] = {
        "engine": engine.name,
        "reads": wanted.run.standing(engine.reads).name,
        "exact": engine.exact,
        "outcome": outcome,
        "reason": reason,
    }
    if outcome:
        return row
    run = wanted.run
    figures = read_figures(run, engine)
    shown = ("samples", "accuracy", "spikes_per_inference", "clipped")
    row |= {name: figures[name] for name in shown}
    if engine is INTEGER:
        return row | {"outcome": "reference"}
    found = current_comparisons(run).get((INTEGER.name, engine.name))
    found = found or compare_run(run.folder, INTEGER.name, engine.name)
    compared = (
        "samples",
        "traced",
        "spikes_compared",
        "spikes_different",
        "spikes_changed",
        "states_compared",
        "states_different",
        "counts_compared",
        "counts_different",
        "readouts_compared",
        "readouts_different",
        "decisions_different",
    )
    return row | {
        "outcome": ("equal" if found["equal"] else "different") if engine.exact else "measured",
        "reason": found["message"],
        "integer_accuracy": same_samples(run, engine),
        "compared": {name: found[name] for name in compared},
    }


def _ran(wanted: _Wanted, engine: Engine, watch: Watch) -> tuple[str, str]:
    """Makes an engine's simulation current; where it cannot be, in a word what is and why."""
    if wanted.ran_by(engine):
        return "", ""
    run = wanted.run
    if reason := _cannot_read(run, engine.reads):
        return "not possible", reason
    try:
        with watch(engine.name) as progress:
            simulate_run(
                run.folder, engine.name, wanted.selection, wanted.traced, progress=progress
            )
    except MissingToolError as error:
        return "not installed", error.cure
    except LoweringError as error:
        return "not possible", str(error)
    except SimulationError as error:
        return "failed", str(error)
    return "", ""


def _cannot_read(run: Run, file: Artifact) -> str:
    """Writes what an engine reads, where that is outdated; why that cannot be, if it cannot."""
    try:
        if file == MODEL:
            run.require(MODEL)
        elif not run.is_fresh(file):
            export_file(run.folder, file)
    except (WriteError, FormatError):
        raise
    except ArlifError as error:
        return str(error)
    return ""
