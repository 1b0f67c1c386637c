"""What the last checkpoint of a run says of how its training may go on."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from arlif.artifacts import LAST, METRICS
from arlif.base.bounded import Count
from arlif.base.digests import DIGESTS
from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.plain_data import STRICT, from_mapping, to_mapping
from arlif.networks.user_neuron import class_of, identity, is_own
from arlif.run_folder import Run
from arlif.training.metrics import CHECK, read_metrics, require_rows
from arlif.training.recipe import Recipe


@dataclass(frozen=True)
class Recorded:
    """What was recorded of the epochs of a checkpoint: the rows of metrics.csv, the last confusion.

    Raises FormatError where these are no rows of a training.
    """

    rows: tuple[dict[str, float], ...] = ()
    confusion: tuple[tuple[Count, ...], ...] | None = None

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require_rows(self.rows)
        matrix = self.confusion or ()
        require(all(len(row) == len(matrix) for row in matrix), "confusion is not square")


def finished_epochs(run: Run) -> int:
    """How many epochs its last checkpoint has seen. Raises ArlifError where that is damaged."""
    return int(_last(run)["epoch"]) + 1 if run.has(LAST) else 0


def recorded(run: Run, classes: int) -> Recorded:
    """What a training that goes on has recorded so far, by its last checkpoint.

    Of metrics.csv itself only what checks have added since; all, where the checkpoint is of an
    earlier arlif. classes: of the dataset. Raises ArlifError where that is damaged.
    """
    from arlif.training.module import RECORD

    if not run.has(LAST):
        return Recorded()
    last, where = _last(run), run.path(LAST)
    epochs = int(last["epoch"]) + 1
    if RECORD not in last:
        return Recorded(_rows(run, epochs))
    found = last[RECORD]
    require(isinstance(found, dict), f"{where} is damaged (its record is none)", FormatError)
    kept = from_mapping(Recorded, found, str(where))
    require(
        len(kept.rows) == epochs and len(kept.confusion or range(classes)) == classes,
        f"{where} is damaged (what it has recorded is of other epochs or classes); start the run "
        "anew (--overwrite)",
        FormatError,
    )
    checks = _checks(run)
    return replace(kept, rows=tuple(row | checks.get(row["epoch"], {}) for row in kept.rows))


def _rows(run: Run, epochs: int) -> tuple[dict[str, float], ...]:
    """The rows of metrics.csv of so many epochs, without a later one that was cut short."""
    rows = read_metrics(run.folder)[:epochs]
    wrong = "was changed after it was written" if run.edited(METRICS) else ""
    if len(rows) < epochs:
        wrong = f"holds {len(rows)} of the {epochs} epochs that were trained"
    require(
        not wrong,
        f"{run.path(METRICS)} {wrong}; put the whole file back, or start the run anew "
        "(--overwrite)",
    )
    return tuple(rows)


def _checks(run: Run) -> dict[float, dict[str, float]]:
    """What metrics.csv holds of checks, by epoch; nothing where it is damaged."""
    try:
        rows = [] if run.edited(METRICS) else read_metrics(run.folder)
    except ArlifError:
        rows = []
    return {r["epoch"]: {k: v for k, v in r.items() if k.startswith(CHECK)} for r in rows}


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The fields in which two recipes differ; a neuron of the user's own is what its file holds."""
    known, given = _by_content(before), _by_content(now)
    return [key for key in given if given[key] != known[key]]


def _by_content(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe whose neuron, where it is the user's own, is named by what its file holds."""
    neuron = recipe["neuron"]
    if not is_own(neuron["name"]):
        return recipe
    return recipe | {"neuron": neuron | {"name": identity(neuron["name"])}}


def require_continuable(recipe: Recipe, run: Run, devices: int) -> None:
    """Raise ArlifError where its last checkpoint is of another run, or of other shares of batches.

    Those of an earlier arlif say neither.
    """
    from arlif.training.module import DEVICES, RECIPE

    if not run.has(LAST):
        return
    last = _last(run)
    others = _others(last[RECIPE], recipe, str(run.path(LAST))) if RECIPE in last else []
    require(
        not others,
        f"{run.path(LAST)} is of a run with another recipe ({', '.join(others)} differ); put this "
        "run's own checkpoint back, or start anew (--overwrite)",
    )
    before = last.get(DEVICES, devices)
    require(
        type(before) is int,
        f"{run.path(LAST)} is damaged (devices in it are no number); start the run anew "
        "(--overwrite)",
        FormatError,
    )
    require(
        before == devices,
        f"{run.folder} was trained on {before} devices so far, and {devices} would go on to other "
        f"weights; continue with devices = {before} (--devices), or start anew (--overwrite)",
    )


def _others(noted: Any, recipe: Recipe, where: str) -> list[str]:
    """The fields in which a noted recipe differs; a run's own neuron moves with it."""
    name, neuron = recipe.neuron.name, noted.get("neuron") if isinstance(noted, dict) else None
    if is_own(name) and isinstance(neuron, dict):
        before = neuron.get("name")
        if isinstance(before, str) and class_of(name) == class_of(before):
            noted = {**noted, "neuron": {**neuron, "name": name}}
    return changed(to_mapping(from_mapping(Recipe, noted, where)), to_mapping(recipe))


def _last(run: Run) -> dict[str, Any]:
    """Its last checkpoint. Raises ArlifError where it is damaged."""
    from arlif.training.checkpoints import read_checkpoint

    return read_checkpoint(run.path(LAST), sealed=(run.folder / DIGESTS).exists())
