"""Training: recipes, the run directory, ablations.

Ablations draw: their module, and matplotlib with it, is loaded when one is asked for.
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily
from arlif.training.finished import Summary
from arlif.training.recipe import Recipe, change_recipe, load_recipe, parse_changes, recipe_names
from arlif.training.run_recipe import read_recipe, recipe_as_written
from arlif.training.train import load_trained, train

if TYPE_CHECKING:
    from arlif.training.ablation import AblationRow, ablate

__all__ = [
    "AblationRow",
    "Recipe",
    "Summary",
    "ablate",
    "change_recipe",
    "load_recipe",
    "load_trained",
    "parse_changes",
    "read_recipe",
    "recipe_as_written",
    "recipe_names",
    "train",
]

__getattr__ = lazily(
    __name__, {"AblationRow": "arlif.training.ablation", "ablate": "arlif.training.ablation"}
)
