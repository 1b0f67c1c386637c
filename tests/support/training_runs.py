"""A recipe that trains in seconds, and copies of its run."""

from pathlib import Path

from arlif.networks import Stack
from arlif.training import Recipe

SMALL = Recipe("digits", Stack((4, "pool"), dropout=0.1), time_steps=2, epochs=3, batch_size=128)


def copy_run(run: Path, target: Path) -> Path:
    """The recipe and the weights of a run, in a folder of their own."""
    copy = target / "run"
    copy.mkdir()
    for name in ("config.json", "model.pt"):
        (copy / name).write_bytes((run / name).read_bytes())
    return copy
