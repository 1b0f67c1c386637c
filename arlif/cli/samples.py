"""The samples that verbs work on, in the order of the dataset."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif import data
from arlif.data import DatasetInfo
from arlif.training import Recipe


@dataclass(frozen=True, eq=False)
class Samples:
    """real: network inputs, time first, [1, N, C, H, W] or [T, N, C, H, W]; labels: int64 [N]."""

    info: DatasetInfo
    real: Tensor
    labels: NDArray[np.int64]


def load_samples(
    recipe: Recipe,
    folder: Path | None,
    part: Literal["train", "test"],
    limit: int | None = None,
) -> Samples:
    """The first `limit` samples of a split; None takes all."""
    dataset = data.load(recipe.dataset, folder, recipe.time_steps)
    split = dataset.train if part == "train" else dataset.test
    raw = torch.from_numpy(np.ascontiguousarray(split.inputs[:limit]))
    return Samples(dataset.info, dataset.info.network_input(raw), split.labels[:limit])
