"""What a dataset is: what is known before loading (DatasetInfo), and the loaded arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from arlif.base.errors import require


@dataclass(frozen=True)
class DatasetInfo:
    """What a dataset is, known without loading it.

    shape: of one frame, (C, H, W); of a user's own data any. static: images; else frames over time.
    scale: real value of one raw step. mean, std: per channel, subtracted and divided out; empty
    for none. licence: terms of use, shown when the data is fetched.
    stored_shape: shape of a stored frame where `shape` is reached by resizing it (bilinear).
    samples: how many were published for training and for tests; 0 where unknown.
    by_hand: what a user does to have it, where nothing here can fetch it.
    """

    name: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    static: bool
    licence: str
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    stored_shape: tuple[int, int, int] | None = None
    samples: tuple[int, int] = (0, 0)
    by_hand: str = ""

    def share(self, train: int, test: int) -> str:
        """In words, how many of the published samples are there."""
        parts = [
            f"{here:,}" if published in (0, here) else f"{here:,} of {published:,}"
            for here, published in zip((train, test), self.samples, strict=True)
        ]
        return f"{' / '.join(parts)} {'images' if self.static else 'recordings'}"

    def network_input(self, raw: Tensor) -> Tensor:
        """Real network inputs, time first: [1, N, C, H, W] for images, [T, N, C, H, W] for events.

        raw: [N, C, H, W] or [N, T, C, H, W] as stored.
        """
        return self.normalized(self.real(raw))

    def real(self, raw: Tensor) -> Tensor:
        """Real values in the stored layout, resized where `stored_shape` says so."""
        x = raw.to(torch.float32) * self.scale
        if self.stored_shape:
            small = interpolate(
                x.flatten(0, -4), size=self.shape[1:], mode="bilinear", antialias=True
            )
            x = small.view(*x.shape[:-3], *small.shape[1:])
        return x

    def normalized(self, x: Tensor) -> Tensor:
        """Real values with mean and std taken out and time first."""
        if self.mean:
            shape = (-1, 1, 1)
            x = (x - x.new_tensor(self.mean).view(shape)) / x.new_tensor(self.std).view(shape)
        return x.unsqueeze(0) if self.static else x.transpose(0, 1).contiguous()


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their labels.

    inputs: uint8 or float32 [M, C, H, W] (images) or [M, T, C, H, W] (events).
    labels: int64 [M].
    """

    inputs: NDArray[Any]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.labels.size)

    def subset(self, per_class: int) -> "Split":
        """The first `per_class` samples of every class, in the stored order."""
        chosen = [np.flatnonzero(self.labels == c)[:per_class] for c in np.unique(self.labels)]
        index = np.sort(np.concatenate(chosen))
        return Split(self.inputs[index], self.labels[index])

    def spread(self, count: int) -> "Split":
        """`count` samples, at most all, drawn by a fixed seed as evenly over classes as they come.

        So is any first part of them: stored samples are often sorted by class.
        """
        order = np.random.default_rng(0).permutation(len(self))
        labels = self.labels[order]
        earlier = np.empty(len(self), np.int64)
        for label in np.unique(labels):
            own = np.flatnonzero(labels == label)
            earlier[own] = np.arange(own.size)
        index = order[np.argsort(earlier, kind="stable")[:count]]
        return Split(self.inputs[index], self.labels[index])

    def some(self, count: int | None) -> "Split":
        """`count` samples spread over classes; None, or all, is the split as it lies."""
        return self if count is None or count >= len(self) else self.spread(count)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A loaded dataset; the constructor checks that shapes and labels fit its description.

    Raises ArlifError.
    """

    info: DatasetInfo
    train: Split
    test: Split

    def __post_init__(self) -> None:
        name, classes = self.info.name, len(self.info.classes)
        stored = self.info.stored_shape or self.info.shape
        for part, split in (("train", self.train), ("test", self.test)):
            shape = split.inputs.shape
            rank = len(stored) + (1 if self.info.static else 2)
            require(
                len(shape) == rank
                and shape[-len(stored) :] == stored
                and shape[0] == len(split) > 0,
                f"{name}, {part} split: {len(split)} labels do not fit inputs {shape}; expected "
                f"frames of shape {stored}; get the data again",
            )
            low, high = int(split.labels.min()), int(split.labels.max())
            require(
                low >= 0 and high < classes,
                f"{name}, {part} split: labels must lie in 0 to {classes - 1}, but reach {low} "
                f"to {high}; get the data again",
            )

    @property
    def share(self) -> str:
        """In words, how many of the published samples it holds."""
        return self.info.share(len(self.train), len(self.test))

    def network_input(self, split: Split) -> Tensor:
        """Real network inputs of a split, or of a part of it; see DatasetInfo.network_input."""
        return self.info.network_input(torch.from_numpy(np.array(split.inputs)))

    def require_every_class(self) -> None:
        """Raise ArlifError where a class has no samples in a split: then data came in part."""
        for part, split in (("train", self.train), ("test", self.test)):
            there = set(split.labels.tolist())
            absent = [name for label, name in enumerate(self.info.classes) if label not in there]
            require(
                not absent,
                f"{self.info.name}, {part} split: every class needs samples, but "
                f"{', '.join(absent[:3])} ({len(absent)} in all) have none; get the data again",
            )
