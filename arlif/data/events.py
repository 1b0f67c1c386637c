"""Event recordings, cut into frames: [T, polarity, H, W], the events counted in each."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from arlif.data.dataset import Split
from arlif.errors import ArlifError, require
from arlif.files import atomic_path

Cut = Literal["count", "time"]
"""How a recording is cut: into frames of equal event counts, or of equal duration."""

Recording = tuple[Callable[[], NDArray[Any]], int]
"""Reads one recording's events (fields t, x, y, p), and its label."""

Shape = tuple[int, int, int]

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def frames(
    recordings: Sequence[Recording], shape: Shape, time_steps: int, cut: Cut, cache: Path | None
) -> Split:
    """Frames uint8 [M, T, *shape] of every recording, counts above 255 held there.

    shape: (polarities, H, W) of the sensor. cache: a .npy file that is written once and then read;
    None keeps the frames in memory. Raises ArlifError where a recording cannot be read.
    """
    from tonic.transforms import ToFrame

    labels = np.array([label for _, label in recordings], np.int64)
    full = (len(recordings), time_steps, *shape)
    if cache is not None and cache.exists():
        stored = np.load(cache, mmap_mode="r")
        if stored.shape == full:
            return Split(stored, labels)
    to_frames = ToFrame(
        sensor_size=(shape[2], shape[1], shape[0]),
        n_event_bins=time_steps if cut == "count" else None,
        n_time_bins=time_steps if cut == "time" else None,
    )
    counted = np.zeros(full, np.uint8)
    for number, (read, _) in enumerate(recordings):
        events = read()
        require(
            len(events) >= time_steps,
            f"recording {number} holds {len(events)} events, too few for {time_steps} frames; "
            "lower time_steps or get the dataset again",
        )
        counted[number] = to_frames(events).clip(0, 255)
    if cache is not None:
        with atomic_path(cache) as temporary, temporary.open("wb") as file:
            np.save(file, counted)
    return Split(counted, labels)


def cached_frames(
    folder: Path, part: str, recordings: Sequence[Recording], shape: Shape, steps: int, cut: Cut
) -> Split:
    """`frames`, kept in frames/<dataset> beside the dataset, where that can be written."""
    cache = folder.parent / "frames" / folder.name / f"{part}-{cut}{steps}.npy"
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return frames(recordings, shape, steps, cut, None)
    return frames(recordings, shape, steps, cut, cache)


def load_nmnist(folder: Path, time_steps: int, cut: Cut) -> tuple[Split, Split]:
    """N-MNIST: {Train,Test}/<digit>/<id>.bin, five bytes an event."""
    from tonic.io import read_mnist_file

    kind = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])

    def split(part: str) -> Split:
        files = sorted((folder / part).glob("*/*.bin"))
        found = [
            (partial(read_mnist_file, str(file), kind), int(file.parent.name)) for file in files
        ]
        return cached_frames(folder, part, found, (2, 34, 34), time_steps, cut)

    return split("Train"), split("Test")


def load_cifar10dvs(folder: Path, time_steps: int, cut: Cut) -> tuple[Split, Split]:
    """CIFAR10-DVS: <class>/cifar10_<class>_<n>.aedat; the first tenth of every class is for tests.

    The field's usual split: 9,000 for training, 1,000 for testing.
    """
    train: list[Recording] = []
    test: list[Recording] = []
    for label, name in enumerate(CIFAR10_CLASSES):
        files = sorted((folder / name).glob("*.aedat"), key=lambda file: (len(file.name), file))
        for number, file in enumerate(files):
            recording = (partial(read_aedat2, file), label)
            (test if number < max(1, len(files) // 10) else train).append(recording)
    shape = (2, 128, 128)
    return (
        cached_frames(folder, "train", train, shape, time_steps, cut),
        cached_frames(folder, "test", test, shape, time_steps, cut),
    )


def load_gesture(folder: Path, time_steps: int, cut: Cut) -> tuple[Split, Split]:
    """DVS128-Gesture: ibmGesture{Train,Test}/<user>_<light>/<label>.npy, rows x, y, p, t (ms)."""

    def split(part: str) -> Split:
        files = sorted((folder / f"ibmGesture{part}").glob("*/*.npy"))
        found = [(partial(_read_gesture, file), int(file.stem)) for file in files]
        return cached_frames(folder, part, found, (2, 128, 128), time_steps, cut)

    return split("Train"), split("Test")


def load_shd(folder: Path, time_steps: int, cut: Cut) -> tuple[Split, Split]:
    """Spiking Heidelberg Digits: shd_{train,test}.h5, times in seconds, 700 units."""

    def split(part: str) -> Split:
        try:
            with h5py.File(folder / f"shd_{part}.h5", "r") as file:
                times, units = list(file["spikes/times"]), list(file["spikes/units"])
                labels = np.asarray(file["labels"], np.int64)
        except (OSError, KeyError) as error:
            raise ArlifError(f"shd_{part}.h5 is damaged ({error}); get it again") from None
        found = [
            (partial(_shd_events, t, u), int(label))
            for t, u, label in zip(times, units, labels, strict=True)
        ]
        return cached_frames(folder, part, found, (1, 1, 700), time_steps, cut)

    return split("train"), split("test")


def _events(t: Any, x: Any, y: Any, p: Any) -> NDArray[Any]:
    events = np.zeros(len(t), np.dtype([("x", int), ("y", int), ("t", int), ("p", int)]))
    events["t"], events["x"], events["y"], events["p"] = t, x, y, p
    return events


def _shd_events(times: Any, units: Any) -> NDArray[Any]:
    return _events(np.asarray(times, np.float64) * 1e6, units, 0, 0)


def _read_gesture(path: Path) -> NDArray[Any]:
    x, y, p, t = np.load(path, allow_pickle=False).T
    return _events(t * 1000, x, y, p)


def read_aedat2(path: Path) -> NDArray[Any]:
    """An AEDAT 2.0 file of CIFAR10-DVS: text lines that start with #, then big-endian uint32 pairs.

    Address bits: 0 polarity (0 is on), 1-7 x, 8-14 y; the second word is the time in microseconds.
    The sensor is mounted turned, so the picture's x is 127 - y and its y is 127 - x.
    """
    raw = path.read_bytes()
    start = 0
    while raw[start : start + 1] == b"#":
        start = raw.index(b"\n", start) + 1
    body = raw[start:]
    require(
        len(body) > 0 and len(body) % 8 == 0,
        f"{path} does not hold whole events of 8 bytes; it was cut off: get the dataset again",
    )
    words = np.frombuffer(body, ">u4").astype(np.int64)
    address, time = words[::2], words[1::2]
    return _events(time, 127 - (address >> 8 & 127), 127 - (address >> 1 & 127), 1 - (address & 1))
