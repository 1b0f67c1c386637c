"""From the recordings of a dataset to its splits."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.data.cache import cached
from arlif.data.dataset import Split
from arlif.data.recordings import Found, Recording

Cut = Literal["count", "time"]
"""How a recording is cut: into frames of equal event counts, or of equal duration."""

TIME_STEPS = 10
"""So many frames a recording is cut into where nobody says how many."""

Loader = Callable[[Path, int, Cut], tuple[Split, Split]]
"""What reads a dataset's folder: (folder, time steps, cut) to the splits for training and tests."""


def recording_loader(
    find: Callable[[Path], Found],
    make: Callable[[Sequence[Recording], int, Cut], NDArray[np.uint8]],
) -> Loader:
    """A loader of what `make` makes, [M, T, C, H, W], of the recordings that `find` finds."""

    def load(folder: Path, time_steps: int, cut: Cut) -> tuple[Split, Split]:
        def split(part: str, recordings: list[Recording]) -> Split:
            require(
                len(recordings) > 0,
                f"{folder} holds no recordings for the {part} split; get the dataset again",
            )
            made = cached(
                folder,
                f"{part}-{cut}{time_steps}",
                (recording.file for recording in recordings),
                lambda: make(recordings, time_steps, cut),
            )
            return Split(made, np.array([recording.label for recording in recordings]))

        train, test = find(folder)
        return split("train", train), split("test", test)

    return load


def recording_counter(find: Callable[[Path], Found]) -> Callable[[Path], tuple[int, int]]:
    """Counts the recordings that `find` finds, for training and for tests."""

    def count(folder: Path) -> tuple[int, int]:
        train, test = find(folder)
        return len(train), len(test)

    return count
