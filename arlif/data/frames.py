"""Event recordings, cut into frames: [T, polarity, H, W], the events counted in each."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.base.memory import enough_memory
from arlif.data.recordings import Found, Recording
from arlif.data.splits import TIME_STEPS, Cut, Loader, recording_loader

Shape = tuple[int, int, int]
MOST_EVENTS = (1 << 15) - 1
"""Of one pixel and polarity: far more than a sensor gives in the seconds of a recording."""


def frames(
    recordings: Sequence[Recording], shape: Shape, time_steps: int, cut: Cut
) -> NDArray[np.uint8]:
    """Frames [M, T, *shape] of every recording, counts above 255 held there.

    shape: (polarities, H, W) of the sensor. Raises ArlifError where a recording cannot be read or
    is too short, or all do not fit into memory.
    """
    from tonic.transforms import ToFrame

    to_frames = ToFrame(
        sensor_size=(shape[2], shape[1], shape[0]),
        n_event_bins=time_steps if cut == "count" else None,
        n_time_bins=time_steps if cut == "time" else None,
    )

    def count(recording: Recording) -> NDArray[Any]:
        return to_frames(_events(recording, shape, time_steps, cut)).clip(0, 255)

    with enough_memory("lower time_steps"):
        first = count(recordings[0])  # an impossible time_steps is found before memory is taken
        counted = np.zeros((len(recordings), *first.shape), np.uint8)
        for number, recording in enumerate(recordings):
            counted[number] = count(recording)
    return counted


def _events(recording: Recording, shape: Shape, time_steps: int, cut: Cut) -> NDArray[Any]:
    """The events of a recording. Raises ArlifError where they cannot be cut into frames."""
    events = recording.read()
    require(
        len(events) >= time_steps,
        f"{recording.file} holds {len(events)} events, too few for {time_steps} frames; "
        "lower time_steps or get the dataset again",
    )
    _require_inside(recording.file, events, shape)
    _require_countable(recording.file, events, shape)
    if cut == "time":
        _require_duration(recording.file, events["t"], time_steps)
    return events


def _require_duration(file: Path, times: NDArray[Any], time_steps: int) -> None:
    """Raise ArlifError where events are not in the order of their times, or end too early."""
    cure = "cut it into equal counts, or get the dataset again"
    span = int(times[-1] - times[0])
    require(
        span >= time_steps,
        f"{file} lasts {span} us, too short for {time_steps} frames of equal duration; {cure}",
    )
    require(
        bool((np.diff(times) >= 0).all()),
        f"{file}: frames of equal duration need events in the order of their times; {cure}",
    )


def _require_inside(file: Path, events: NDArray[Any], shape: Shape) -> None:
    """Raise ArlifError where an event lies outside the sensor."""
    for field, size in zip("pyx", shape, strict=True):
        low, high = int(events[field].min()), int(events[field].max())
        require(
            low >= 0 and high < size,
            f"{file} is damaged: {field} must lie in 0 to {size - 1}, but reaches {low} to {high}; "
            "get the dataset again",
        )


def _require_countable(file: Path, events: NDArray[Any], shape: Shape) -> None:
    """Raise ArlifError where tonic's counters of events, of 16 bits, could turn negative."""
    pixels = np.ravel_multi_index(tuple(events[field] for field in "pyx"), shape)
    most = int(np.bincount(pixels).max())
    require(
        most <= MOST_EVENTS,
        f"{file} is damaged: one pixel holds {most} events of one polarity, more than "
        f"{MOST_EVENTS}; get the dataset again",
    )


def event_loader(find: Callable[[Path], Found], shape: Shape) -> Loader:
    """A loader of the frames of the recordings that `find` finds; shape: see `frames`."""
    return recording_loader(
        find, lambda recordings, time_steps, cut: frames(recordings, shape, time_steps, cut)
    )


def event_probe(
    recordings: Callable[[Path], Iterable[Recording]], shape: Shape
) -> Callable[[Path], None]:
    """What raises ArlifError where a file's recordings would be refused by a loading of them.

    recordings: those that lie in a file. A loading is taken to be cut as it is where nobody says.
    """

    def probe(path: Path) -> None:
        for recording in recordings(path):
            _events(recording, shape, TIME_STEPS, "count")

    return probe
