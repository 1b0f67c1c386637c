"""Using datasets by name: list, describe, get, check, load."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from arlif.base.errors import ArlifError, require
from arlif.data import store
from arlif.data.dataset import Dataset, DatasetInfo
from arlif.data.entry import Entry
from arlif.data.fetch import Progress
from arlif.data.registry import DATASETS
from arlif.data.splits import TIME_STEPS, Cut
from arlif.data.store import FileState


def names() -> tuple[str, ...]:
    """The names of all datasets."""
    return tuple(DATASETS)


def describe(name: str) -> DatasetInfo:
    """What a dataset is, without loading it. Raises ArlifError where the name is unknown."""
    return _entry(name).info


def get(
    name: str,
    data_folder: Path | None = None,
    progress: Progress = lambda what, done, total: None,
    say: Callable[[str], None] = lambda message: None,
) -> Path:
    """Get what is missing or wrong of a dataset's files; returns the folder they lie in.

    Files are compared with what was noted when they came: existence and size, and the digest of
    those that changed since or that `check` found wrong. An interrupted download continues.
    data_folder: see `load`. say: told why a source failed, and which one gave the files.
    Raises ArlifError: unknown name, no source reachable, checksum wrong, disk full; a dataset that
    only its user can bring here, and is not there.
    """
    entry, place = _entry(name), store.data_folder(data_folder) / name
    if not entry.alternatives:
        _need(entry, place)
        return place
    required = dict(entry.required)
    if wanted := store.wrong_files(place, required):
        store.fetch_files(place, entry.alternatives, wanted, progress, say)
        entry.prepare(place)
        wrong = [state for state in store.check_files(place, required) if state.wrong]
        require(
            not wrong,
            f"{name}: {len(wrong)} files are not as published: "
            + "; ".join(f"{state.file} {state.wrong}" for state in wrong[:3]),
        )
    if not (place / store.MANIFEST).exists():
        store.write_manifest(place)
    return place


def check(name: str, data_folder: Path | None = None) -> list[FileState]:
    """Compare a dataset's files with what was published; `get` fetches those that are wrong.

    Where digests are not known, files are read as `load` reads them. Raises ArlifError on an
    unknown name.
    """
    entry, place = _entry(name), store.data_folder(data_folder) / name
    states = store.check_files(place, dict(entry.needed(place)))
    if entry.probes and not all(state.verified or state.wrong for state in states):
        judged = {state.file for state in states if state.verified or state.wrong}
        for probe in entry.probes:
            states += store.damaged_files(place, judged, *probe)
        states = list({state.file: state for state in states}.values())
    store.mark_wrong(place, states)
    return states


def count(name: str, data_folder: Path | None = None) -> tuple[int, int] | None:
    """The samples that are there for training and for tests; None where the dataset is not.

    Nothing is decoded. Raises ArlifError: unknown name, damaged files.
    """
    entry, place = _entry(name), store.data_folder(data_folder) / name
    if any(store.is_absent(place / file) for file, _ in entry.needed(place)):
        return None
    with _readable(name):
        return entry.count(place)


def load(
    name: str, data_folder: Path | None = None, time_steps: int = TIME_STEPS, cut: Cut = "count"
) -> Dataset:
    """Load a dataset.

    data_folder: where datasets lie, each in a folder of its name; None reads ARLIF_DATA, else
    ~/.cache/arlif/data. time_steps: frames that an event recording is cut into, of equal event
    counts (cut "count") or of equal duration (cut "time"); images have no use for both. Of sound
    the first so many steps are taken (docs/data.md), whatever `cut` says.
    A part of the published samples will do (see `Dataset.share`) where it holds every class and
    no digest of a whole file is published. Files are compared with the digests that are known:
    single recordings and images when they are decoded, others every time.
    Raises ArlifError where the name is unknown or the files are missing or damaged.
    """
    entry, place = _entry(name), store.data_folder(data_folder) / name
    _need(entry, place)
    with _readable(name):
        needed = dict(entry.needed(place))
        store.require_noted(place, needed, [f for n in needed if (f := place / n).is_file()])
        train, test = entry.load(place, time_steps, cut)
    dataset = Dataset(entry.info, train, test)
    dataset.require_every_class()
    return dataset


def _need(entry: Entry, place: Path) -> None:
    """Raise ArlifError, with the cure, where a file of the dataset is missing."""
    info = entry.info
    cure = info.by_hand or f"get it with: arlif data get {info.name}"
    store.need(place, [file for file, _ in entry.needed(place)], info.name, cure)


def _entry(name: str) -> Entry:
    if name not in DATASETS:
        raise ArlifError(
            f"no dataset is called {name!r}; there are {', '.join(DATASETS)}; on data of your own "
            "a network trains in a loop of your own (docs/own-network.md)"
        )
    return DATASETS[name]


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Name the file that the system does not let us read."""
    try:
        yield
    except OSError as error:
        raise ArlifError(
            f"{name}: cannot read {error.filename} ({error.strerror}); get the dataset again"
        ) from None
