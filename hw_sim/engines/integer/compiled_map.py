"""What a compiled linear map is."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from arlif.kernels.call import Bound

CompiledMap = Callable[[Tensor], Tensor]
"""Exact integers in any type that holds them, [N, *shape] to [N, *shape]."""


@runtime_checkable
class FrameMap(Protocol):
    """A map by a kernel, which takes and gives arrays with channels last in memory, too."""

    def bind(self, frames: NDArray[np.uint8], threads: int) -> Bound:
        """Integers [N, ..., C'] of contiguous bytes [N, ..., C], and what computes them."""
