"""Batches of a split, the same in every run of one seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from arlif.base.cut import cut
from arlif.data import Split


@dataclass(frozen=True)
class Batches:
    """Raw inputs and labels, batch by batch.

    order_seed: shuffles, and without `keep_last` drops the incomplete last batch; None keeps the
    stored order and everything. rank, world: this process takes every world-th sample of each
    batch; a last batch in which a process would find none is dropped.
    """

    split: Split
    batch_size: int
    order_seed: tuple[int, ...] | None = None
    rank: int = 0
    world: int = 1
    keep_last: bool = False

    def __len__(self) -> int:
        whole, left = divmod(len(self.split), self.batch_size)
        if self.order_seed is None:
            return whole + (left > 0)
        return max(1, whole + (self.keep_last and left >= self.world))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = np.arange(len(self.split))
        if self.order_seed is not None:
            order = np.random.default_rng(self.order_seed).permutation(order)
        for part in islice(cut(len(order), self.batch_size), len(self)):
            chosen = order[part][self.rank :: self.world]
            inputs = torch.from_numpy(np.ascontiguousarray(self.split.inputs[chosen]))
            yield inputs, torch.from_numpy(self.split.labels[chosen])
