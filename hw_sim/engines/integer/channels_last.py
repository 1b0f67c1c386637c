"""Kernels that take bytes with channels last in memory, as maps on torch."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif.core.maps import Conv2d, Dense, Shape
from arlif.kernels.call import Bound


class Kernel(Protocol):
    """The sums of a convolution of bytes [N, H, W, C]: integers [N, H', W', C']."""

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[Any]:
        """New sums."""

    def bind(self, inputs: NDArray[np.uint8], threads: int) -> Bound:
        """New sums of contiguous inputs, and what writes them."""

    def put(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any]) -> None:
        """Write the sums there, whatever was there."""

    def add(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any], scale: int) -> None:
        """Add `scale` times the sums to those that are there."""


def as_window(linear: Conv2d | Dense, picture: Shape = ()) -> Conv2d:
    """A dense map is a convolution of one pixel, of a picture [C, H, W] one whose window is all."""
    if isinstance(linear, Conv2d):
        return linear
    weight = linear.weight
    return Conv2d(weight.reshape(-1, *picture) if picture else weight[:, :, None, None])


@dataclass(frozen=True)
class ChannelsLast:
    """A convolution, or a dense map (flat), by a kernel that was made of `as_window` of it.

    pictures: whether the kernel takes frames [C, H, W] as they are.
    """

    flat: bool
    kernel: Kernel
    pictures: bool = True

    def __call__(self, x: Tensor) -> Tensor:
        sums = torch.from_numpy(self.kernel(self._frames(x), torch.get_num_threads()))
        return sums.flatten(1) if self.flat else sums.movedim(-1, 1)

    def bind(self, frames: NDArray[np.uint8], threads: int) -> Bound:
        """See FrameMap."""
        if not self.pictures:  # features, which are no pictures
            frames = frames.reshape(len(frames), 1, 1, -1)
        call, sums = self.kernel.bind(frames, threads)
        return call, sums[:, 0, 0] if self.flat else sums

    def put(self, x: Tensor, sums: Tensor) -> None:
        """Write the sums of x to [N, C', H', W'] or [N, outputs]."""
        self.kernel.put(self._frames(x), torch.get_num_threads(), self._images(sums))

    def add(self, x: Tensor, sums: Tensor, scale: int) -> None:
        """Add `scale` times the sums of x to [N, C', H', W'] or [N, outputs], in place."""
        self.kernel.add(self._frames(x), torch.get_num_threads(), self._images(sums), scale)

    def _images(self, sums: Tensor) -> NDArray[Any]:
        images = sums[:, :, None, None] if self.flat else sums
        return images.movedim(1, -1).numpy()

    def _frames(self, x: Tensor) -> NDArray[np.uint8]:
        """As the neurons leave them: mostly no copy."""
        images = x if self.pictures else x.flatten(1)[:, :, None, None]
        return images.to(torch.uint8).movedim(1, -1).contiguous().numpy()
