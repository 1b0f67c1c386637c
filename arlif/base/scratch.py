"""Folders of intermediate files; those that a killed process left are removed by the next one."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "arlif-scratch-"
HELD = ".held"
"""The file in such a folder that its process locks: the system frees the lock however it ends."""


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder that is removed when the block ends; folders of dead processes go first.

    Raises OSError where there is no room for it.
    """
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        new = folder / f"{HELD}.new"
        held = os.open(new, os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            new.rename(folder / HELD)  # where others look for it, it is locked already
            yield folder
        finally:
            os.close(held)


def _sweep(place: Path) -> None:
    """Remove the folders that nobody holds."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            held = os.open(folder / HELD, os.O_RDWR)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
