"""Kernels that take bytes with channels last in memory, as maps on torch."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif.core.maps import Conv2d, Dense


class Kernel(Protocol):
    """The sums of a convolution of bytes [N, H, W, C]: integers [N, H', W', C']."""

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[Any]:
        """New sums."""

    def add(
        self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[np.int32], scale: int
    ) -> None:
        """Add `scale` times the sums to those that are there."""


def as_window(linear: Conv2d | Dense) -> Conv2d:
    """A dense map is a convolution of one pixel."""
    return linear if isinstance(linear, Conv2d) else Conv2d(linear.weight[:, :, None, None])


@dataclass(frozen=True)
class ChannelsLast:
    """A convolution, or a dense map (flat), by a kernel that was made of `as_window` of it."""

    flat: bool
    kernel: Kernel

    def __call__(self, x: Tensor) -> Tensor:
        sums = torch.from_numpy(self.kernel(self._frames(x), torch.get_num_threads()))
        return sums.flatten(1) if self.flat else sums.movedim(-1, 1)

    def of_frames(self, frames: NDArray[Any], threads: int) -> NDArray[Any]:
        """See FrameMap."""
        if not self.flat:
            return self.kernel(np.ascontiguousarray(frames, np.uint8), threads)
        ordered = np.moveaxis(frames, -1, 1).reshape(len(frames), 1, 1, -1)
        return self.kernel(np.ascontiguousarray(ordered, np.uint8), threads)[:, 0, 0]

    def add(self, x: Tensor, sums: Tensor, scale: int) -> None:
        """Add `scale` times the sums of x to int32 [N, C', H', W'] or [N, outputs], in place."""
        images = sums[:, :, None, None] if self.flat else sums
        given = images.movedim(1, -1).numpy()
        self.kernel.add(self._frames(x), torch.get_num_threads(), given, scale)

    def _frames(self, x: Tensor) -> NDArray[np.uint8]:
        """As the neurons leave them: mostly no copy."""
        images = x.flatten(1)[:, :, None, None] if self.flat else x
        return images.to(torch.uint8).movedim(1, -1).contiguous().numpy()
