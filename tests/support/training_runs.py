"""Recipes that train in seconds, and copies of a run."""

from pathlib import Path

from arlif.networks import Stack
from arlif.training import Recipe

SMALL = Recipe("digits", Stack((4, "pool"), dropout=0.1), time_steps=2, epochs=3, batch_size=128)
TINY = Recipe(
    "digits",
    Stack((4, "pool")),
    time_steps=2,
    epochs=1,
    batch_size=50,
    train_per_class=20,
    test_per_class=10,
)
"""Of a few images alone."""


def copy_run(run: Path, target: Path) -> Path:
    """The recipe and the weights of a run, in a folder of their own."""
    copy = target / "run"
    copy.mkdir()
    for name in ("config.json", "model.pt"):
        (copy / name).write_bytes((run / name).read_bytes())
    return copy
