"""What a node sends over time: a block of time steps, behind steps whose delay is not over."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Line:
    """One node's frames of a block.

    block: [T, N, *shape], or [1, N, *shape] where every step is the same (steady). past: the
    frames before the block, as many as the longest delay; zeros before the first step.
    """

    block: Tensor
    past: Tensor
    steady: bool = False

    @classmethod
    def of(cls, block: Tensor, past: Tensor | None, waits: int, steady: bool = False) -> "Line":
        """A line whose frames wait for up to `waits` steps; past: see `rest`, None at the start."""
        return cls(
            block, block.new_zeros(waits, *block.shape[1:]) if past is None else past, steady
        )

    def arriving(self, steps: slice, delay: int) -> Tensor:
        """The frames that arrive in these steps of the block; one where all are the same."""
        if delay == 0:
            return self.block if self.steady else self.block[steps]
        first, last = steps.start - delay, steps.stop - delay
        waits = len(self.past)
        late = self.past[waits + min(first, 0) : waits + min(last, 0)]
        now = self._sent(max(first, 0), max(last, 0))
        return torch.cat([late, now]) if len(late) else now

    def rest(self, count: int) -> Tensor:
        """The frames before the block that follows this one of `count` steps."""
        waits = len(self.past)
        if waits == 0:
            return self.past
        kept = self._sent(max(0, count - waits), count)
        return torch.cat([self.past[len(self.past) - waits + len(kept) :], kept])

    def _sent(self, first: int, last: int) -> Tensor:
        if self.steady:
            return self.block.expand(last - first, *self.block.shape[1:])
        return self.block[first:last]
