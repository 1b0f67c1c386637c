"""HDF5 files: those from anywhere as a plain tree of numpy values, new ones in one piece."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from arlif.base.digests import is_noted
from arlif.base.errors import FormatError, require
from arlif.base.files import StrPath
from arlif.base.rehearsal import rehearse, serve
from arlif.base.seal import is_sealed

Tree = dict[str, Any]
"""Names to values: numpy arrays and scalars, strings, or further trees."""

MAX_DEPTH = 16
MAX_VALUES = 1 << 28


@contextmanager
def new_hdf5(path: Path, user_block: int = 0) -> Iterator[h5py.File]:
    """A new file, made in memory and written in one piece when the block ends. Raises OSError.

    libhdf5 crashes where a disk becomes full while it writes. user_block: bytes before its own.
    """
    made = io.BytesIO()
    with h5py.File(made, "w", userblock_size=user_block) as file:
        yield file
    path.write_bytes(made.getbuffer())


def read_tree(path: StrPath) -> Tree:
    """Every group and dataset of a file. Follows no links, evaluates nothing.

    Raises FormatError where the file is missing, damaged, or holds more than plain data.
    """
    path = Path(path)
    try:
        is_sealed(path)
        require_readable(path)
        return _read_file(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the path") from None


def require_readable(path: Path) -> None:
    """Raise FormatError where libhdf5 loops for ever or crashes on a file, or it is no plain data.

    Anybody can seal a file, so it is read in a process of its own, unless the run that it lies in
    has noted its digest.
    """
    if not is_noted(path):
        rehearse(path, __spec__.name)


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
    serve(_read_file)
