"""Small runs for tests of the command line, and images for them."""

from pathlib import Path

import numpy as np

from support.command_line import Cli

SMALL = ("--recipe", "digits", "--set", "architecture.features=[4]", "--set", "epochs=1")
"""Words of `arlif train` for a run of seconds."""
POINT = ("--weight-bits", "8", "--time-steps", "1")
"""Words of `arlif sweep` for one point."""


def save(path: Path, array: np.ndarray) -> Path:
    """The array as a file."""
    np.save(path, array)
    return path


def images(tmp_path: Path, count: int = 5, largest: float = 1.0) -> Path:
    """A file of images, uniform in 0 to `largest`."""
    values = largest * np.random.default_rng(0).random((1, count, 1, 8, 8), np.float32)
    return save(tmp_path / f"images-{largest:g}.npy", values)


def refused(cli: Cli, *arguments: str | Path) -> str:
    """The one line with which a verb refuses."""
    code, out, err = cli(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    return err
