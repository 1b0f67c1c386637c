"""The samples that stages work on: the first of a split, or some of every class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.base.errors import ArlifError, require
from arlif.core.equality import fingerprint
from arlif.core.nodes import Input
from arlif.data import Dataset, Split
from arlif.quantize import calibrate_input, linearize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.training import Recipe, load_trained

CALIBRATION_SAMPLES = 1024
"""Training samples, spread over classes, whose range the input format is fitted to."""


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


def load_samples(
    recipe: Recipe,
    data_folder: Path | None,
    part: Literal["train", "test"],
    limit: int | None = None,
) -> Samples:
    """The first `limit` samples of a split; None takes all."""
    dataset, split = _load(recipe, data_folder, part)
    return _samples(dataset, Split(split.inputs[:limit], split.labels[:limit]))


def load_spread(
    recipe: Recipe, data_folder: Path | None, part: Literal["train", "test"], count: int | None
) -> Samples:
    """`count` samples of a split, spread over classes; None, or all, is the split as it lies."""
    dataset, split = _load(recipe, data_folder, part)
    whole = count is None or count >= len(split)
    return _samples(dataset, split if whole else split.spread(count or 0))


def _load(
    recipe: Recipe, data_folder: Path | None, part: Literal["train", "test"]
) -> tuple[Dataset, Split]:
    dataset = recipe.load_data(data_folder)
    return dataset, dataset.train if part == "train" else dataset.test


def _samples(dataset: Dataset, split: Split) -> Samples:
    raw = torch.from_numpy(np.array(split.inputs))
    return Samples(dataset.info.network_input(raw), split.labels)


@dataclass(frozen=True, eq=False)
class Quantizable:
    """A trained network, ready for its numbers to be chosen.

    linear: its layers between populations, made linear. source: its input, scaled to fit the
    calibration samples.
    """

    module: nn.Module
    recipe: Recipe
    linear: LinearizedNetwork
    source: Input
    calibration: Samples


def load_quantizable(
    run: Path, data_folder: Path | None, samples: int = CALIBRATION_SAMPLES
) -> Quantizable:
    """The trained network of a run and its input as so many training `samples` want it."""
    module, recipe = load_trained(run)
    calibration = load_spread(recipe, data_folder, "train", samples)
    linear = linearize(module, recipe.network().input_shape)
    source = calibrate_input(calibration.real.numpy(), linear.input_shape, linear.static)
    return Quantizable(module, recipe, linear, source, calibration)


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
