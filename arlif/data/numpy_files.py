"""Arrays in .npy and .npz files, each read to its end: more than its header says is damage, too."""

from collections.abc import Collection
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require

BEGINNING, ARCHIVE = b"\x93NUMPY", b"PK"
"""How these files begin. What begins otherwise numpy takes for a pickle, and says to trust it."""


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file. Raises whatever a damaged file makes numpy raise."""
    with path.open("rb") as file:
        return _whole(file)


def read_npz(path: Path, wanted: Collection[str]) -> dict[str, NDArray[Any] | None]:
    """The arrays of an .npz file by their names, None for those that nobody wants.

    Raises whatever a damaged file makes zipfile or numpy raise: a member that is read to its end is
    compared with its CRC-32.
    """
    found: dict[str, NDArray[Any] | None] = {}
    with ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            require(name not in found, f"it holds {name} twice")
            found[name] = None
            if name in wanted:
                with archive.open(member) as file:
                    found[name] = _whole(file)
    return found


def _whole(file: IO[bytes]) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]
    require(
        not file.read(1), f"it goes on behind the {array.nbytes} bytes that its header promises"
    )
    return array
