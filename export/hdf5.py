"""Reading HDF5 files from anywhere: a plain tree of numpy values, or a FormatError."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import StrPath
from arlif.base.seal import is_sealed
from arlif.base.workers import command, environment

Tree = dict[str, Any]
"""Names to values: numpy arrays and scalars, strings, or further trees."""

MAX_DEPTH = 16
MAX_VALUES = 1 << 28
SLOWEST_BYTES_PER_SECOND = 1e6


def read_tree(path: StrPath) -> Tree:
    """Every group and dataset of a file. Follows no links, evaluates nothing.

    libhdf5 can loop for ever or crash on damaged files, so a file without arlif's seal is read in
    a process of its own first.
    Raises FormatError where the file is missing, damaged, or holds more than plain data.
    """
    path = Path(path)
    try:
        if not is_sealed(path):
            _rehearse(path)
        return _read_file(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the path") from None


def _rehearse(path: Path) -> None:
    """Read a file in a process of its own; raise FormatError where that crashes or hangs.

    Raises ArlifError where that process lacks a package.
    """
    limit = 10 + path.stat().st_size / SLOWEST_BYTES_PER_SECOND
    try:
        done = subprocess.run(
            command(__spec__.name, str(path)),
            env=environment(),
            timeout=limit,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FormatError(f"damaged: still not read after {limit:.0f} s") from None
    lacks = re.search(r"^(?:ModuleNotFound|Import)Error: (.*)", done.stderr, re.MULTILINE)
    if done.returncode and lacks:
        raise ArlifError(
            f"{path} was not read: the process that tries it first cannot start ({lacks[1]}); put "
            "the folder of that package on PYTHONPATH"
        )
    require(done.returncode == 0, "damaged: the HDF5 library crashed on it", FormatError)


def _read_file(path: Path) -> Tree:
    try:
        with h5py.File(path, "r") as file:
            return _read_group(file, 0)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"not an HDF5 file or damaged ({error}); export it again") from error


def _read_group(group: Any, depth: int) -> Tree:
    require(
        depth <= MAX_DEPTH,
        f"{group.name} is nested deeper than {MAX_DEPTH} groups; no known format does that",
        FormatError,
    )
    tree: Tree = {}
    for name in group:
        link = group.get(name, getlink=True)
        where = f"{group.name}/{name}"
        require(
            isinstance(link, h5py.HardLink),
            f"{where} is a link to another place; copy the data into the file",
            FormatError,
        )
        item = group[name]
        if isinstance(item, h5py.Group):
            tree[name] = _read_group(item, depth + 1)
        else:
            tree[name] = _read_dataset(item, where)
    return tree


def _read_dataset(item: Any, where: str) -> Any:
    require(
        isinstance(item, h5py.Dataset) and not item.is_virtual and not item.external,
        f"{where} does not hold its own data; copy the data into the file",
        FormatError,
    )
    require(
        item.shape is not None and item.size <= MAX_VALUES,
        f"{where} holds no value or more than {MAX_VALUES}; shape {item.shape}",
        FormatError,
    )
    if h5py.check_string_dtype(item.dtype) is not None:
        text = item.asstr()[()]
        return text if isinstance(text, str) else np.asarray(text, dtype=str)
    require(
        item.dtype.kind in "biuf",
        f"{where} holds {item.dtype}; only numbers, booleans and text are read",
        FormatError,
    )
    return item[()]


if __name__ == "__main__":
    with suppress(FormatError):
        _read_file(Path(sys.argv[1]))
