"""A program that reads HDF5 files whole, for `rehearse`: libhdf5 may hang or crash it alone.

It knows no format: every value of every dataset is read, by rows.
"""

from pathlib import Path

import h5py

from arlif.base.errors import FormatError
from arlif.base.hdf5_room import require_room
from arlif.base.rehearsal import serve


def read_whole(path: Path) -> None:
    """Read every row of every dataset. Raises FormatError where that fails."""
    try:
        with h5py.File(path, "r") as file:
            file.visititems(_read)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise FormatError(str(error)) from error


def _read(name: str, item: h5py.Dataset | h5py.Group) -> None:
    if isinstance(item, h5py.Dataset):
        require_room(item)
        for row in range(len(item)) if item.shape else ((),):
            item[row]


if __name__ == "__main__":
    serve(read_whole)
