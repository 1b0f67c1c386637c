"""Arrays whose memory is used again: a system clears every page before it hands it out."""

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Empty = Callable[[tuple[int, ...], DTypeLike], NDArray[Any]]
"""Makes an array of a shape and a type, with any content: numpy.empty, or ReusedMemory.empty."""

SMALL = 1 << 15
"""Bytes of an array up to which the C library keeps the memory itself."""


class ReusedMemory:
    """Makes arrays from the memory of those that nobody holds any more, of its own.

    It keeps as many blocks, of powers of two of bytes, as were in use at once, until it is gone.
    """

    def __init__(self) -> None:
        self.blocks: defaultdict[int, list[NDArray[np.uint8]]] = defaultdict(list)

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of any content."""
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if size <= SMALL:
            return np.empty(shape, kind)
        free = self.blocks[size.bit_length()]
        try:
            block = free.pop()
        except IndexError:
            block = np.empty(1 << size.bit_length(), np.uint8)
        return np.asarray(_Loan(shape, kind, block, free))


class _Loan:
    """What every view of an array holds, numpy's and torch's: with the last, its block is free."""

    def __init__(
        self,
        shape: tuple[int, ...],
        kind: np.dtype[Any],
        block: NDArray[np.uint8],
        free: list[NDArray[np.uint8]],
    ) -> None:
        self.block, self.free = block, free
        self.__array_interface__ = {
            "shape": shape,
            "typestr": kind.str,
            "data": (block.ctypes.data, False),
            "version": 3,
        }

    def __del__(self) -> None:
        self.free.append(self.block)
