"""What the last checkpoint of a run says of how its training may go on."""

from typing import Any

from arlif.base.digests import DIGESTS
from arlif.base.errors import FormatError, require
from arlif.base.plain_data import from_mapping, to_mapping
from arlif.networks.user_neuron import class_of, identity, is_own
from arlif.run_folder import LAST, Run
from arlif.training.recipe import Recipe


def finished_epochs(run: Run) -> int:
    """How many epochs its last checkpoint has seen. Raises ArlifError where that is damaged."""
    return int(_last(run)["epoch"]) + 1 if run.has(LAST) else 0


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The fields in which two recipes differ; a neuron of the user's own is what its file holds."""
    for mapping in (before, now):
        if is_own(mapping["neuron"]["name"]):
            mapping["neuron"]["name"] = identity(mapping["neuron"]["name"])
    return [key for key in now if now[key] != before[key]]


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
