"""What a compiled linear map is."""

from collections.abc import Callable

from torch import Tensor

CompiledMap = Callable[[Tensor], Tensor]
"""Exact integers in any type that holds them, [N, *shape] to [N, *shape]."""
