"""What a compiled linear map is."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray
from torch import Tensor

CompiledMap = Callable[[Tensor], Tensor]
"""Exact integers in any type that holds them, [N, *shape] to [N, *shape]."""


@runtime_checkable
class FrameMap(Protocol):
    """A map by a kernel, which takes and gives arrays with channels last in memory, too."""

    def of_frames(self, frames: NDArray[Any], threads: int) -> NDArray[Any]:
        """Integers [N, ..., C'] of integers [N, ..., C] that fit bytes."""
