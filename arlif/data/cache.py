"""Arrays made from a dataset's files, kept beside it for as long as the files stay as they are."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, FormatError, WriteError
from arlif.base.seal import is_sealed, sealed_path
from arlif.data.store import require_noted

DIGITS = 16
Bytes = NDArray[np.uint8]


def cached(folder: Path, name: str, files: Iterable[Path], make: Callable[[], Bytes]) -> Bytes:
    """What `make` makes of `files`, read again from frames/<dataset>/<name>-<stamp>.npy.

    It is made anew where a file has another name, size or time of change than then, or where what
    was kept is damaged; then every file is compared with the digest that is noted of it. Nothing is
    kept where the folder beside the dataset cannot be written. Raises ArlifError where a file is
    missing or another than noted.
    """
    files = [*files]
    kept = folder.parent / "frames" / folder.name / f"{name}-{_stamp(files)}.npy"
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return _made(folder, files, make)
    if kept.exists():
        with suppress(ValueError, EOFError, FormatError):
            if is_sealed(kept):
                return np.load(kept, mmap_mode="r")
        with suppress(OSError):
            kept.unlink(missing_ok=True)
    made = _made(folder, files, make)
    with suppress(WriteError, OSError):
        _write(kept, name, made)
    return made


def _made(folder: Path, files: Iterable[Path], make: Callable[[], Bytes]) -> Bytes:
    require_noted(folder, {}, files)
    return make()


def _write(kept: Path, name: str, made: Bytes) -> None:
    """Write `made` and remove what was kept of earlier files."""
    for old in kept.parent.glob(f"{name}-{'?' * DIGITS}.npy"):
        if old != kept:
            old.unlink(missing_ok=True)
    with sealed_path(kept) as temporary, temporary.open("wb") as file:
        np.save(file, made)


def _stamp(files: Iterable[Path]) -> str:
    """Some digits that change with a file's name, folder, size or time of change.

    Raises ArlifError where a file is missing.
    """
    digest = hashlib.sha256()
    for file in dict.fromkeys(files):
        try:
            found = file.stat()
        except (OSError, ValueError) as error:
            raise ArlifError(f"cannot read {file} ({error}); get the dataset again") from None
        line = f"{file.parent.name}/{file.name} {found.st_size} {found.st_mtime_ns}\n"
        digest.update(line.encode())
    return digest.hexdigest()[:DIGITS]
