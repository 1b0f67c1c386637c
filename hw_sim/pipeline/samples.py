"""The samples that stages work on: the first of the test split, some of every class, or yours."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif.artifacts import CONFIG, NIR
from arlif.base.errors import ArlifError, require
from arlif.core.equality import fingerprint
from arlif.core.maps import Shape
from arlif.data import Dataset, Split
from arlif.data.own import KINDS, OwnData
from arlif.run_folder import Run
from arlif.training import Recipe, read_recipe
from export.nir import read_nir


@dataclass(frozen=True, eq=False)
class Samples:
    """real: network inputs, time first, [1, N, *shape] or [T, N, *shape].

    labels: int64 [N], or None where they are not known.
    """

    real: Tensor
    labels: NDArray[np.int64] | None

    def __len__(self) -> int:
        return int(self.real.shape[1])

    @cached_property
    def digests(self) -> list[str]:
        """A digest of each sample, equal where their inputs are."""
        return [fingerprint(self.real[:, index].numpy())[:16] for index in range(len(self))]


@dataclass(frozen=True)
class Selection:
    """Which samples a stage works on: the first `limit` of the test split, or of own data.

    limit: None takes all. data_folder: where the dataset lies. inputs, labels: a user's own, see
    arlif.data.own.OwnData.
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
        if run.has(CONFIG):
            recipe = read_recipe(run.folder)
            if self.own is None:
                return load_samples(recipe, self.data_folder, self.limit), recipe.time_steps
            config = recipe.network()
            shape: Shape = config.input_shape
            static, time_steps, classes = config.static, config.time_steps, config.classes
        else:
            network = read_nir(run.require(NIR))
            shape, static = network.input.shape, network.input.static
            time_steps, classes = network.time_steps, len(network.readout.bias)
        own = require_own(self.own, run).load(shape, 1 if static else time_steps, self.limit)
        own.require_classes(str(self.inputs), classes)
        return Samples(torch.from_numpy(own.real), own.labels), time_steps

    @property
    def own(self) -> OwnData | None:
        """The user's own data; None for the test split."""
        return None if self.inputs is None else OwnData(self.inputs, self.labels)

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


def require_own(own: OwnData | None, run: Run) -> OwnData:
    """The own data of a run that has no others. Raises ArlifError, with the cure."""
    if own is None:
        raise ArlifError(
            f"{run.folder} was not trained here, so there is no test split; give --inputs with "
            f"{KINDS}"
        )
    return own


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
