"""A user's own data: .npy, .npz, a folder of samples, or a torch Dataset of a Python file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, require
from arlif.base.memory import enough_memory
from arlif.base.user_code import calling
from arlif.data.dataset import Dataset, DatasetInfo, Split
from arlif.data.own_arrays import (
    INPUTS,
    LABELS,
    Shape,
    axes_cure,
    class_labels,
    read_array,
    read_arrays,
    real_numbers,
    written,
)

HELD_OUT = 5
"""Training on own data leaves out one sample of so many, of every class, to be judged by."""

EXAMPLES = 8
"""So many samples show a network what its inputs are like."""

KINDS = "a .npy or .npz file, a folder of samples, or FILE.py:FUNCTION"


@dataclass(frozen=True)
class OwnData:
    """Where a user's own data lie.

    inputs: .npy, .npz, a folder, or FILE.py:FUNCTION that returns a torch Dataset (docs/data.md).
    labels: .npy of integers [N], where `inputs` does not hold them.
    """

    inputs: Path
    labels: Path | None = None

    def load(self, shape: Shape, frames: int, limit: int | None = None) -> "OwnSamples":
        """The first `limit` samples, None takes all, as a network takes them.

        shape: of one frame. frames: 1 where a network shows one frame at every step, else T.
        Raises ArlifError where something is missing, damaged, of another shape, or no number.
        """
        with enough_memory("take fewer samples, or a smaller file"):
            found = _read(self.inputs, limit)
            real = found.stacked(shape, frames)
        labels = found.labels
        if self.labels is not None:
            require(
                labels is None,
                f"{self.inputs} holds labels itself; leave out --labels {self.labels}",
            )
            labels = class_labels(read_array(self.labels), self.labels)[:limit]
        return OwnSamples(real, labels, found.classes)

    def examples(self, time_steps: int) -> list[NDArray[np.float32]]:
        """Some samples as [1 or T, N, *shape] where no network says the shape, likeliest first.

        A sample of a folder or of a Dataset may begin with T. Raises ArlifError as `load`.
        """
        return [a.astype(np.float32) for a in _read(self.inputs, EXAMPLES).examples(time_steps)]


@dataclass(frozen=True, eq=False)
class OwnSamples:
    """What a user has brought.

    real: float32, time first, [1, N, *shape] or [T, N, *shape]. labels: int64 [N], or None where
    they are not known. classes: their names, by label; empty where there are none.
    Raises ArlifError where there are as many labels as samples.
    """

    real: NDArray[np.float32]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape, labels = self.real.shape, self.labels
        require(
            labels is None or labels.shape == shape[1:2],
            f"inputs {shape} are time first, [1 or T, N, ...], and need N = {shape[1]} labels; got "
            f"{None if labels is None else labels.shape}",
        )

    def names(self, name: str, classes: int) -> tuple[str, ...]:
        """What the classes of a network are called; their numbers where the data name none.

        classes: how many it tells apart. Raises ArlifError as `require_classes`.
        """
        self.require_classes(name, classes)
        return self.classes or tuple(map(str, range(classes)))

    def require_classes(self, name: str, classes: int) -> None:
        """Raise ArlifError where the data name other classes than a network tells apart."""
        require(
            len(self.classes) in (0, classes),
            f"{name} has {len(self.classes)} folders of classes ({', '.join(self.classes[:3])}"
            f"{', ...' if len(self.classes) > 3 else ''}), and the network tells {classes} classes "
            "apart; make a folder for each, also where it holds no samples of this class",
        )

    def as_dataset(self, name: str, static: bool, classes: int) -> Dataset:
        """A dataset to train on; one sample of HELD_OUT, spread over classes, is for tests.

        classes: how many the network tells apart. Raises ArlifError where there are no labels or
        too few samples, or where a label is none of 0 to classes - 1.
        """
        require(
            self.labels is not None,
            f"training needs the class of every sample, which {name} does not say; give --labels",
        )
        assert self.labels is not None
        require(
            len(self.labels) >= HELD_OUT,
            f"training needs {HELD_OUT} samples or more, since one of {HELD_OUT} is left out to "
            f"judge by; {name} holds {len(self.labels)}",
        )
        low, high = int(self.labels.min()), int(self.labels.max())
        require(
            low >= 0 and high < classes,
            f"labels of {classes} classes lie in 0 to {classes - 1}, not {low} to {high} as in "
            f"{name}; give each sample's class",
        )
        held = Split(np.arange(len(self.labels)), self.labels).spread(len(self.labels) // HELD_OUT)
        chosen = np.isin(np.arange(len(self.labels)), held.inputs)
        first = self.real[0] if static else np.moveaxis(self.real, 0, 1)
        info = DatasetInfo(name, self.real.shape[2:], self.names(name, classes), static, "your own")
        return Dataset(
            info,
            Split(first[~chosen], self.labels[~chosen]),
            Split(first[chosen], self.labels[chosen]),
        )


def own_dataset(made: Any, shape: Shape, frames: int, classes: int) -> Dataset:
    """A torch Dataset of (input, label) pairs as data to train on, see OwnSamples.as_dataset.

    shape: of one frame. frames: 1 where a network shows one frame at every step, else T. Raises
    ArlifError where it holds anything else.
    """
    name = type(made).__name__
    require(
        hasattr(made, "__len__") and hasattr(made, "__getitem__"),
        f"a dataset is arlif.data.Dataset or a torch Dataset with a length and items, not {name}",
    )
    found = _items(made, name, None)
    samples = OwnSamples(found.stacked(shape, frames), found.labels)
    return samples.as_dataset(name, frames == 1, classes)


@dataclass(frozen=True, eq=False)
class _Whole:
    """One array of all samples, time first, of which `limit` are taken; None takes all."""

    where: Path
    inputs: NDArray[np.generic]
    labels: NDArray[np.int64] | None
    limit: int | None
    classes: tuple[str, ...] = ()

    def examples(self, time_steps: int) -> list[NDArray[np.generic]]:
        given = self.inputs.shape
        cure = "save x[None]"
        if time := [axis for axis, size in enumerate(given) if size == time_steps]:
            cure = f"save {' or '.join(f'np.moveaxis(x, {axis}, 0)' for axis in time)}"
            cure += ", whichever axis is time" * (len(time) > 1)
        elif len(given) >= 3:
            cure = f"give --time-steps {given[0]} where it does, else {cure}"
        require(
            len(given) >= 3 and given[0] in (1, time_steps),
            f"{self.where} must be [1, N, *shape], one frame a sample, or [{time_steps}, N, "
            f"*shape], one at each of --time-steps, not {given}; time comes first: {cure}",
        )
        return [self.inputs[:, : self.limit]]

    def stacked(self, shape: Shape, frames: int) -> NDArray[np.float32]:
        given = self.inputs.shape
        require(
            given[:1] == (frames,) and given[2:] in written(shape),
            f"{self.where} must be [{', '.join(map(str, (frames, 'N', *shape)))}], as the network "
            f"takes its inputs, not {given}{axes_cure(given, shape, frames)}",
        )
        taken = self.inputs[:, : self.limit].astype(np.float32)
        return taken.reshape(*taken.shape[:2], *shape)


@dataclass(frozen=True, eq=False)
class _Singly:
    """One array a sample, by name: [*shape] or [T, *shape]."""

    where: str
    samples: dict[str, NDArray[np.generic]]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(bool(self.samples), f"{self.where} holds no samples; give .npy or .npz files")

    def examples(self, time_steps: int) -> list[NDArray[np.generic]]:
        first = next(iter(self.samples.values()))
        frames = [first[:, None]] if first.ndim > 1 and len(first) in (1, time_steps) else []
        return [*frames, first[None, None]]

    def stacked(self, shape: Shape, frames: int) -> NDArray[np.float32]:
        wanted = [(frames, *frame) for frame in written(shape)]
        wanted += written(shape) if frames == 1 else []
        wrong = [name for name, sample in self.samples.items() if sample.shape not in wanted]
        if wrong:
            raise ArlifError(
                f"every sample of {self.where} must have the shape "
                f"{' or '.join(map(str, wanted))}, as the network takes it, not "
                f"{self.samples[wrong[0]].shape} as {wrong[0]} has it ({len(wrong)} of "
                f"{len(self.samples)} differ)"
            )
        frame_first = [s.astype(np.float32).reshape(frames, *shape) for s in self.samples.values()]
        return np.stack(frame_first, axis=1)


_Found = _Whole | _Singly


def _read(source: Path, limit: int | None) -> _Found:
    script, _, function = str(source).rpartition(":")
    if script.endswith(".py"):
        return _dataset(Path(script), function, limit)
    require(source.suffix != ".py", f"{source} names no function of it; give {source}:FUNCTION")
    require(source.exists(), f"there is no {source}; own data are {KINDS}")
    if source.is_dir():
        return _folder(source, limit)
    if source.suffix != ".npz":
        return _Whole(source, read_array(source), None, limit)
    arrays = read_arrays(source)
    inputs, labels = arrays[INPUTS], arrays.get(LABELS)
    shape = inputs.shape[1:2] if labels is None else labels.shape
    require(
        shape == inputs.shape[1:2],
        f"{source} holds labels {shape} for inputs {inputs.shape}; inputs are time first, "
        "[1 or T, N, *shape], and need N labels",
    )
    classes = None if labels is None else class_labels(labels, source)[:limit]
    return _Whole(source, inputs, classes, limit)


def _dataset(script: Path, function: str, limit: int | None) -> _Singly:
    """What a torch Dataset of a user's file holds."""
    where = f"{script}:{function}"
    with calling(script, function, f"{where} gives no data") as made:
        require(
            hasattr(made, "__len__") and hasattr(made, "__getitem__"),
            f"{where} returns {type(made).__name__}, not a torch Dataset with a length and items",
        )
        return _items(made, where, limit)


def _items(made: Any, where: str, limit: int | None) -> _Singly:
    """The (input, label) pairs that a torch Dataset holds."""
    samples, labels = {}, []
    for index in range(len(made))[:limit]:
        item, name = made[index], f"{where}[{index}]"
        require(
            isinstance(item, tuple | list) and len(item) == 2,
            f"{name} is of type {type(item).__name__}, not a pair (input, label)",
        )
        samples[name] = real_numbers(item[0], name)
        label = class_labels(real_numbers(item[1], f"the label of {name}"), name)
        require(label.size == 1, f"the label of {name} must be one whole number")
        labels.append(label.item())
    return _Singly(where, samples, np.array(labels, np.int64))


def _folder(folder: Path, limit: int | None) -> _Singly:
    """One sample a file: in folders named by class, or all in one, and then without labels."""
    classes = tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != "."))
    loose = _files(folder)
    require(
        not (classes and loose),
        f"{folder} holds samples ({loose[0].name if loose else ''}) beside folders of classes "
        f"({', '.join(classes[:3])}); put each into the folder of its class",
    )
    labelled = [(path, n) for n, name in enumerate(classes) for path in _files(folder / name)]
    chosen = (labelled or [(path, 0) for path in loose])[:limit]
    samples = {str(path): _sample(path) for path, _ in chosen}
    labels = np.array([label for _, label in chosen], np.int64) if classes else None
    return _Singly(str(folder), samples, labels, classes)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in (".npy", ".npz") and p.is_file())


def _sample(path: Path) -> NDArray[np.generic]:
    return read_arrays(path, ())[INPUTS] if path.suffix == ".npz" else read_array(path)
