"""Arrays that somebody else's implementation left: .npz or a folder, untrusted."""

import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import StrPath
from arlif.core.graph import SPIKES
from export.vectors.hex_text import from_hex
from export.vectors.layouts import Layout

MAGIC = b"\x93NUMPY"
DESCR = re.compile(r"'descr': *'([<>|=][biu][1248])'")
ORDER = re.compile(r"'fortran_order': *(True|False)")
SHAPE = re.compile(r"'shape': *\(((?:\d{1,10},? *){0,8})\)")
"""The header of a .npy file, see numpy.lib.format."""
MARGIN = 1 << 20
"""Bytes that a file may have beyond its numbers: headers, names, remarks."""
WIDEST = 32
"""Bytes of a number in a file, at most: a word of hexadecimal text with a remark, or int64."""
MOST_NAMED = 20
"""Of so many violations each is named; of more, how many there are."""
DAMAGES = (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, zlib.error)
"""What zipfile and numpy raise where a file is damaged, encrypted, or packed in unknown ways."""


@dataclass(frozen=True)
class Member:
    """One array in a file. text: whether it is hexadecimal words, else .npy."""

    open: Callable[[], IO[bytes]]
    text: bool = False


def read_foreign(path: StrPath, known: Mapping[str, Layout]) -> dict[str, NDArray[Any]]:
    """Arrays by the names of their layouts, all of them of the same first samples.

    path: an .npz file, or a folder of NAME.npy or NAME.hex. Nothing is unpickled, and nothing is
    read that has another name, type or size than its layout allows.
    Raises FormatError that names every violation.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _arrays(path, _of_folder(path), known)
        most = MARGIN + WIDEST * sum(prod(layout.shape) for layout in known.values())
        require(
            path.is_file() or not path.exists(), f"{path} is no file and no folder", FormatError
        )
        size = path.stat().st_size
        require(size <= most, f"{path} is larger than all arrays can be", FormatError)
        with zipfile.ZipFile(path) as file:
            members = _of_archive(file)
            return _arrays(path, members, known)
    except ArlifError:
        raise
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, *DAMAGES) as error:
        raise FormatError(
            f"{path} is neither a folder nor an .npz file ({error}); write it with numpy.savez"
        ) from None


def read_one(folder: Path, name: str, layout: Layout) -> NDArray[Any]:
    """One array of a folder of vectors, where it stands as .npy and as .hex.

    Raises FormatError as read_foreign, and where the two say different numbers.
    """
    kinds = {folder / f"{name}.npy": False, folder / f"{name}.hex": True}
    found = [
        _arrays(path, {name: Member(_opener(path), text)}, {name: layout})[name]
        for path, text in kinds.items()
        if not text or path.is_file()
    ]
    require(
        all(np.array_equal(array, found[0]) for array in found),
        f"{' and '.join(map(str, kinds))} hold different numbers, one of them was changed",
        FormatError,
    )
    return found[0]


def _of_folder(folder: Path) -> dict[str, Member]:
    """The arrays of a folder; of one that is there twice, .npy."""
    members: dict[str, Member] = {}
    for ending in (".hex", ".npy"):
        for path in filter(Path.is_file, sorted(folder.glob(f"*{ending}"))):
            name = path.name.removesuffix(ending)
            members[name] = Member(_opener(path), ending == ".hex")
    return members


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _of_archive(file: zipfile.ZipFile) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for info in file.infolist():
        name = info.filename.removesuffix(".npy")
        require(name not in members, f"it holds {name!r} twice", FormatError)
        members[name] = Member(_unpacker(file, info))
    return members


def _unpacker(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: file.open(info)


def _arrays(
    path: Path, members: Mapping[str, Member], known: Mapping[str, Layout]
) -> dict[str, NDArray[Any]]:
    """All arrays, once every violation of their names, types and sizes would have been named."""
    wrong = [f"there is no array {name[:80]!r}" for name in members if name not in known]
    given = {name: members[name] for name in known if name in members}
    found: dict[str, NDArray[Any]] = {}
    for name, member in given.items():
        try:
            with member.open() as stream:
                read = _read_text if member.text else _read_npy
                found[name] = read(stream, known[name])
        except (zipfile.BadZipFile, *DAMAGES) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            wrong.append(f"{name}: {reason}")
    sizes = {name: _samples(array, known[name]) for name, array in found.items()}
    if len({*sizes.values()}) > 1:
        wrong.append(
            "arrays are of different numbers of samples: "
            + ", ".join(f"{name} of {size}" for name, size in sizes.items())
        )
    if not given:
        wrong.append("nothing can be compared")
    more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
    require(
        not wrong,
        f"{path}: {'; '.join(wrong[:MOST_NAMED])}{more}. There may be: {', '.join(known)}",
        FormatError,
    )
    return found


def _read_npy(stream: IO[bytes], layout: Layout) -> NDArray[Any]:
    start = stream.read(len(MAGIC) + 4)
    require(
        start[: len(MAGIC)] == MAGIC and start[len(MAGIC) : -2] == b"\x01\x00",
        "is no .npy of version 1.0, which numpy.save writes of integers",
        FormatError,
    )
    header = stream.read(int.from_bytes(start[-2:], "little")).decode("latin-1")
    kind, order, sizes = (pattern.search(header) for pattern in (DESCR, ORDER, SHAPE))
    if kind is None or kind[1][1:] == "u8":
        raise FormatError(
            f"holds no integers of at most 64 bits with a sign: {header[:40].strip()}"
        )
    if order is None or sizes is None:
        raise FormatError("has a header without a shape")
    dtype, fortran = np.dtype(kind[1]), order[1] == "True"
    shape = tuple(int(size) for size in re.findall(r"\d+", sizes[1]))
    require(_fits(shape, layout), f"has shape {shape}, not {_wanted(layout)}", FormatError)
    data = stream.read(prod(shape) * dtype.itemsize)
    require(
        len(data) == prod(shape) * dtype.itemsize and not stream.read(1),
        "is cut short, or longer than its shape says",
        FormatError,
    )
    flat = np.frombuffer(data, dtype)
    return _checked(flat.reshape(shape, order="F" if fortran else "C"), layout)


def _read_text(stream: IO[bytes], layout: Layout) -> NDArray[Any]:
    most = MARGIN + WIDEST * prod(layout.shape)
    data = stream.read(most + 1)
    require(len(data) <= most, "is longer than its words can be", FormatError)
    words = from_hex(data.decode("ascii"), layout.bits, layout.signed)
    axis = layout.axes.index("N")
    each = prod(layout.shape) // layout.shape[axis]
    shape = (*layout.shape[:axis], words.size // each, *layout.shape[axis + 1 :])
    require(
        words.size == prod(shape) and _fits(shape, layout),
        f"has {words.size:,} words, not {prod(layout.shape):,} of {_wanted(layout)}",
        FormatError,
    )
    return _checked(words.reshape(shape), layout)


def _checked(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    low, high = int(array.min()), int(array.max())
    if layout.dtype == "uint8":
        require(
            low >= 0 and high <= 1,
            f"holds {low} to {high}; {SPIKES} are 0 or 1",
            FormatError,
        )
    return array.astype(np.int64)


def _samples(array: NDArray[Any], layout: Layout) -> int:
    return int(array.shape[layout.axes.index("N")])


def _fits(shape: tuple[int, ...], layout: Layout) -> bool:
    """Whether an array is of the layout's shape, or of its first samples only."""
    axis = layout.axes.index("N")
    if len(shape) != len(layout.shape) or not 1 <= shape[axis] <= layout.shape[axis]:
        return False
    return (*layout.shape[:axis], shape[axis], *layout.shape[axis + 1 :]) == tuple(shape)


def _wanted(layout: Layout) -> str:
    axes = ", ".join(layout.axes)
    return f"{layout.shape} ({axes}), where N may be less"
