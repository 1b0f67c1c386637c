"""The samples that stages work on: the first of the test split, some of every class, or yours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif.base.errors import ArlifError, require
from arlif.core.equality import fingerprint
from arlif.data import Dataset, Split
from arlif.run_folder import CONFIG, NIR, Run
from arlif.training import Recipe, read_recipe
from export.nir import read_nir


@dataclass(frozen=True, eq=False)
class Samples:
    """real: network inputs, time first, [1, N, *shape] or [T, N, *shape].

    labels: int64 [N], or None where they are not known.
    """

    real: Tensor
    labels: NDArray[np.int64] | None

    def __post_init__(self) -> None:
        require(
            self.labels is None or self.labels.shape == self.real.shape[1:2],
            f"inputs {tuple(self.real.shape)} are time first, [1 or T, N, ...], and need N labels; "
            f"got {None if self.labels is None else self.labels.shape}",
        )

    def __len__(self) -> int:
        return int(self.real.shape[1])

    def digests(self, count: int) -> list[str]:
        """A digest of each of the first `count` samples, equal where their inputs are."""
        return [fingerprint(self.real[:, index].numpy())[:16] for index in range(count)]

    def digest(self) -> str:
        """One digest of all samples' inputs."""
        return fingerprint(tuple(self.digests(len(self))))


@dataclass(frozen=True)
class Selection:
    """Which samples a stage works on: the first `limit` of the test split, or of .npy files.

    limit: None takes all. data_folder: where the dataset lies. inputs, labels: a user's own files.
    """

    limit: int | None = None
    data_folder: Path | None = None
    inputs: Path | None = None
    labels: Path | None = None

    def __post_init__(self) -> None:
        require(
            self.labels is None or self.inputs is not None,
            f"labels {self.labels} belong to inputs of your own; give --inputs too",
        )
        require(
            self.inputs is None or self.data_folder is None,
            f"inputs {self.inputs} need no dataset; give --inputs or --data, not both",
        )

    def load(self, run: Run) -> tuple[Samples, int]:
        """The samples and T, from the run's recipe or for an imported network from its file."""
        trained = run.has(CONFIG)
        require(
            trained or self.inputs is not None,
            f"{run.folder} was not trained here, so there is no test split; give --inputs FILE.npy",
        )
        recipe = read_recipe(run.folder) if trained else None
        time_steps = recipe.time_steps if recipe else read_nir(run.require(NIR)).time_steps
        if recipe and self.inputs is None:
            return load_samples(recipe, self.data_folder, self.limit), time_steps
        assert self.inputs is not None
        return read_samples(self.inputs, self.labels, self.limit), time_steps

    def to_json(self) -> dict[str, Any]:
        """The selection as plain data; paths are made absolute, so that other verbs find them."""
        paths = {"data_folder": self.data_folder, "inputs": self.inputs, "labels": self.labels}
        return {"limit": self.limit} | {
            name: None if path is None else str(path.resolve()) for name, path in paths.items()
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Selection":
        """What to_json wrote."""
        names = ("data_folder", "inputs", "labels")
        paths = [Path(content[name]) if content.get(name) else None for name in names]
        return cls(content.get("limit"), *paths)


def load_samples(recipe: Recipe, data_folder: Path | None, limit: int | None = None) -> Samples:
    """The first `limit` samples of the test split; None takes all."""
    dataset = recipe.load_data(data_folder)
    return _samples(dataset, Split(dataset.test.inputs[:limit], dataset.test.labels[:limit]))


def load_spread(recipe: Recipe, data_folder: Path | None, count: int | None) -> Samples:
    """`count` samples of the test split, spread over classes; None, or all, is it as it lies."""
    dataset = recipe.load_data(data_folder)
    return _samples(dataset, dataset.test.some(count))


def _samples(dataset: Dataset, split: Split) -> Samples:
    return Samples(dataset.network_input(split), split.labels)


def read_samples(inputs: Path, labels: Path | None, limit: int | None) -> Samples:
    """The first `limit` samples of a user's .npy files; None takes all.

    inputs: real, time first, [1, N, *shape] or [T, N, *shape]. labels: integers [N].
    Raises ArlifError where a file is missing, is no .npy file of numbers, or does not fit.
    """
    real = read_array(inputs)
    require(real.ndim >= 3, f"{inputs} must be [1 or T, N, *shape], not {real.shape}")
    classes = None if labels is None else read_array(labels)
    require(
        classes is None or np.issubdtype(classes.dtype, np.integer),
        f"{labels} must hold integers, the class of each sample",
    )
    return Samples(
        torch.from_numpy(real.astype(np.float32))[:, :limit],
        None if classes is None else classes.astype(np.int64)[:limit],
    )


def read_array(path: Path) -> NDArray[Any]:
    """The real numbers of a .npy file. Raises ArlifError where it holds none or anything else."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ArlifError(f"{path} is not a readable .npy file ({reason})") from None
    require(
        isinstance(array, np.ndarray) and array.dtype.kind in "iuf",
        f"{path} must hold one array of real numbers",
    )
    require(array.size > 0, f"{path} holds no numbers: its shape is {array.shape}")
    require(
        bool((np.abs(array) <= np.finfo(np.float32).max).all()),
        f"{path} holds NaN, infinity or numbers beyond float32; take them out",
    )
    return array
