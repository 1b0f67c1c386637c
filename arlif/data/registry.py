"""Every dataset by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arlif.data.dataset import Dataset, DatasetInfo
from arlif.data.digits import DIGITS, load_digits
from arlif.errors import ArlifError


@dataclass(frozen=True)
class Entry:
    """A dataset in the registry: its description and its loader."""

    info: DatasetInfo
    load: Callable[[Path, int], Dataset]


_ENTRIES = (Entry(DIGITS, lambda folder, time_steps: load_digits()),)

DATASETS: dict[str, Entry] = {entry.info.name: entry for entry in _ENTRIES}
"""Every dataset by name."""


def names() -> tuple[str, ...]:
    """The names of all datasets."""
    return tuple(DATASETS)


def entry(name: str) -> Entry:
    """A dataset's registry entry. Raises ArlifError where there is none of that name."""
    if name not in DATASETS:
        raise ArlifError(f"no dataset is called {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def describe(name: str) -> DatasetInfo:
    """What a dataset is, without loading it. Raises ArlifError where the name is unknown."""
    return entry(name).info


def load(name: str, folder: Path | None = None, time_steps: int = 1) -> Dataset:
    """Load a dataset.

    folder: where datasets lie; None reads ARLIF_DATA, else the user's cache folder.
    time_steps: frames that an event recording is cut into; images ignore it.
    Raises ArlifError where the name is unknown or the files are missing or damaged.
    """
    return entry(name).load(folder or Path(), time_steps)
