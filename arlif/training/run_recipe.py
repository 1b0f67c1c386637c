"""The recipe of a run, from its config.json."""

from pathlib import Path
from typing import Any

from arlif.artifacts import CONFIG, NEURON
from arlif.base.errors import ArlifError, require
from arlif.base.files import read_json
from arlif.base.plain_data import from_mapping
from arlif.networks.user_neuron import class_of, is_own
from arlif.run_folder import Run
from arlif.training.recipe import Recipe


def read_recipe(run: Path) -> Recipe:
    """The recipe of a run; a neuron of the user's own is the run's copy, which is run.

    Raises ArlifError where there is none or it is damaged.
    """
    path = Run(run).require(CONFIG)
    try:
        mapping = read_json(path)
        require(isinstance(mapping, dict), "it is not a JSON object")
    except (OSError, ValueError) as error:
        raise ArlifError(f"{path} is damaged ({error}); train again") from None
    neuron = mapping.get("neuron")
    name = neuron.get("name") if isinstance(neuron, dict) else None
    if isinstance(name, str) and is_own(name):
        copied = f"{Run(run).require(NEURON).absolute()}:{class_of(name)}"
        mapping["neuron"] = {**neuron, "name": copied}
    return from_mapping(Recipe, mapping, str(path))


def recipe_as_written(run: Path) -> dict[str, Any]:
    """What config.json holds: as read_recipe, but a neuron of the user's own is named as given."""
    read_recipe(run)
    return Run(run).read_object(CONFIG)
