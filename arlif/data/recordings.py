"""Recordings, and those of the event datasets: where they lie, how their files are read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.rehearsal import rehearse
from arlif.data.numpy_files import read_npy
from arlif.data.store import is_vouched_for

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SHD_CLASSES = 20
TRIAL = "arlif.base.hdf5_trial"
KIND = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])
OVERFLOW, OVERFLOW_US = 240, 1 << 13
"""The y of what is no event of N-MNIST: all later times are so much later."""
AEDAT2 = b"#!AER-DAT2.0"


@dataclass(frozen=True)
class Recording:
    """One recording.

    read: reads its events, fields x, y, t (us) and p, or its sound, int16 samples. file: lies in
    it, alone or with others.
    """

    file: Path
    label: int
    read: Callable[[], NDArray[Any]]


Found = tuple[list[Recording], list[Recording]]
"""The recordings for training and those for tests."""


def find_nmnist(folder: Path) -> Found:
    """N-MNIST: {Train,Test}/<digit>/<id>.bin, five bytes an event."""

    def split(part: str) -> list[Recording]:
        return [one for file in sorted((folder / part).glob("*/*.bin")) for one in in_nmnist(file)]

    return split("Train"), split("Test")


def in_nmnist(file: Path) -> list[Recording]:
    """The recording in a file of N-MNIST. Raises ArlifError where its folder is no digit."""
    return [Recording(file, _label(file, file.parent.name, 10), partial(_read_nmnist, file))]


def find_cifar10dvs(folder: Path) -> Found:
    """CIFAR10-DVS: <class>/cifar10_<class>_<n>.aedat; the first tenth of every class is for tests.

    The field's usual split: 9,000 for training, 1,000 for testing.
    """
    train: list[Recording] = []
    test: list[Recording] = []
    for name in CIFAR10_CLASSES:
        files = sorted((folder / name).glob("*.aedat"), key=lambda file: (len(file.name), file))
        found = [one for file in files for one in in_cifar10dvs(file)]
        tests = max(1, len(files) // 10)
        test += found[:tests]
        train += found[tests:]
    return train, test


def in_cifar10dvs(file: Path) -> list[Recording]:
    """The recording in a file of CIFAR10-DVS, which lies in the folder of its class."""
    label = CIFAR10_CLASSES.index(file.parent.name)
    return [Recording(file, label, partial(read_aedat2, file))]


def find_gesture(folder: Path) -> Found:
    """DVS128-Gesture: ibmGesture{Train,Test}/<user>_<light>/<label>.npy, rows x, y, p, t (ms)."""

    def split(part: str) -> list[Recording]:
        files = sorted((folder / f"ibmGesture{part}").glob("*/*.npy"))
        return [one for file in files for one in in_gesture(file)]

    return split("Train"), split("Test")


def in_gesture(file: Path) -> list[Recording]:
    """The recording in a file of DVS128-Gesture. Raises ArlifError where its name is no class."""
    return [Recording(file, _label(file, file.stem, 11), partial(_read_gesture, file))]


def find_shd(folder: Path) -> Found:
    """Spiking Heidelberg Digits: shd_{train,test}.h5, times in seconds, 700 units."""
    return in_shd(folder / "shd_train.h5"), in_shd(folder / "shd_test.h5")


def in_shd(path: Path) -> list[Recording]:
    """The recordings in a file of SHD. Raises ArlifError where it cannot be opened."""
    if not is_vouched_for(path):
        try:
            rehearse(path, TRIAL)
        except FormatError as error:
            raise damaged(path, error) from None
    return [
        Recording(path, int(label), partial(_read_shd, path, number))
        for number, label in enumerate(_shd_labels(path))
    ]


def _events(t: Any, x: Any, y: Any, p: Any) -> NDArray[Any]:
    events = np.zeros(len(t), KIND)
    events["t"], events["x"], events["y"], events["p"] = t, x, y, p
    return events


def damaged(path: Path, why: Exception | str) -> ArlifError:
    """The error that says so."""
    said = " ".join(str(why).split()) or type(why).__name__
    return ArlifError(f"{path} is damaged ({said}); get the dataset again")


def _label(file: Path, name: str, classes: int) -> int:
    """The class that a folder or a file is named after."""
    require(
        name.isdecimal() and int(name) < classes,
        f"{file}: {name!r} must be the number of a class, 0 to {classes - 1}; move it away if it "
        "is not of the dataset",
    )
    return int(name)


def _read_nmnist(path: Path) -> NDArray[Any]:
    """Bytes x, y, and 24 bits, the highest first: polarity, 23 bits of time."""
    size = path.stat().st_size
    if size == 0 or size % 5:
        raise damaged(path, f"{size} bytes are not whole events of 5 bytes")
    x, y, high, middle, low = np.fromfile(path, np.uint8).reshape(-1, 5).T.astype(np.int64)
    time = ((high & 127) << 16 | middle << 8 | low) + OVERFLOW_US * np.cumsum(y == OVERFLOW)
    return _events(time, x, y, high >> 7)[y != OVERFLOW]


def _shd_labels(path: Path) -> NDArray[np.int64]:
    """The labels of an SHD file, one for each recording. Raises ArlifError on anything else."""
    try:
        with h5py.File(path, "r") as file:
            stored, recordings = file["labels"], len(file["spikes/times"])
            whole = stored.dtype.kind in "iu" and stored.shape == (recordings,)
            labels = np.asarray(stored if whole else [-1])
    except Exception as error:  # whatever a file makes h5py raise
        raise damaged(path, error) from None
    if not ((labels >= 0) & (labels < SHD_CLASSES)).all():
        raise damaged(
            path, f"its labels must be {recordings} whole numbers from 0 to {SHD_CLASSES - 1}"
        )
    return labels.astype(np.int64)


def _read_shd(path: Path, number: int) -> NDArray[Any]:
    try:
        with h5py.File(path, "r") as file:
            times = np.asarray(file["spikes/times"][number])
            units = np.asarray(file["spikes/units"][number])
    except Exception as error:  # whatever a file makes h5py raise
        raise damaged(path, error) from None
    if times.dtype.kind != "f" or units.dtype.kind not in "iu":
        raise damaged(
            path, f"times are real, units whole numbers, not {times.dtype}, {units.dtype}"
        )
    if times.ndim != 1 or times.shape != units.shape:
        raise damaged(path, f"recording {number} has {times.size} times and {units.size} units")
    seconds = times.astype(np.float64)
    _require_sane(path, seconds)
    return _events(seconds * 1e6, units, 0, 0)


def _gesture_rows(path: Path) -> NDArray[Any]:
    """The rows of a gesture file. Raises ArlifError where it holds anything else."""
    try:
        rows = read_npy(path)
    except Exception as error:  # whatever a header makes numpy raise
        raise damaged(path, error) from None
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise damaged(path, f"its rows must be x, y, p, t, but its shape is {rows.shape}")
    if rows.dtype.kind not in "biuf":
        raise damaged(path, f"its values must be real numbers, but they are {rows.dtype}")
    return rows


def _read_gesture(path: Path) -> NDArray[Any]:
    rows = np.asarray(_gesture_rows(path), np.float64)
    _require_sane(path, rows)
    x, y, p, t = rows.T
    if not all((values == np.rint(values)).all() for values in (x, y, p)):
        raise damaged(path, "x, y and p must be whole numbers")
    return _events(t * 1000, x, y, p)


def _require_sane(path: Path, values: NDArray[np.float64]) -> None:
    """Raise ArlifError where a value is no number or beyond any time."""
    if not (np.abs(values) < 1e12).all():
        raise damaged(path, "it holds values that no sensor gives")


def _aedat2_start(path: Path) -> int:
    """Where the events of an AEDAT 2.0 file start. Raises ArlifError where they are not whole."""
    with path.open("rb") as file:
        if not file.readline().startswith(AEDAT2):
            raise damaged(path, f"it does not begin with {AEDAT2.decode()}")
        start = file.tell()
        while file.readline().startswith(b"#"):
            start = file.tell()
    size = path.stat().st_size - start
    if size == 0 or size % 8:
        raise damaged(path, f"{size} bytes are not whole events of 8 bytes")
    return start


def read_aedat2(path: Path) -> NDArray[Any]:
    """An AEDAT 2.0 file of CIFAR10-DVS: text lines that start with #, then big-endian uint32 pairs.

    Address bits: 0 polarity (0 is on), 1-7 x, 8-14 y, 15 an input beside the sensor; the second
    word is the time in microseconds. The sensor is mounted turned, so the picture's x is 127 - y
    and its y is 127 - x. Raises ArlifError on an address that is longer: text among the events.
    """
    words = np.fromfile(path, ">u4", offset=_aedat2_start(path)).astype(np.int64)
    address, time = words[::2], words[1::2]
    if address.max() >> 16:
        raise damaged(path, f"an address has 16 bits, one is {address.max():#x}")
    return _events(time, 127 - (address >> 8 & 127), 127 - (address >> 1 & 127), 1 - (address & 1))
