"""Training: recipes, the run directory, ablations."""

from arlif.training.ablation import AblationRow, ablate
from arlif.training.finished import Summary
from arlif.training.recipe import Recipe, change_recipe, load_recipe, parse_change, recipe_names
from arlif.training.train import load_trained, read_recipe, train

__all__ = [
    "AblationRow",
    "Recipe",
    "Summary",
    "ablate",
    "change_recipe",
    "load_recipe",
    "load_trained",
    "parse_change",
    "read_recipe",
    "recipe_names",
    "train",
]
