"""The matrix of any linear map, found by applying it to unit vectors; only entries that are not 0.

Slow beside what a map knows of itself, and right for every map: the defaults of LinearMap rest on
it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.maps.bounds import Shape

Indices = NDArray[np.int64]
Ranges = list[list[tuple[Indices, Indices]]]

BLOCK = 256
"""Unit vectors evaluated at a time."""

MOST = 1 << 27
"""Entries that are kept: 3 GiB."""


def unit_vectors(shape: Shape) -> Iterator[NDArray[np.int8]]:
    """Every input of `shape` that is 1 in one place and 0 elsewhere, in C order, in batches."""
    features = prod(shape)
    for start in range(0, features, BLOCK):
        block = np.zeros((min(BLOCK, features - start), features), np.int8)
        np.fill_diagonal(block[:, start:], 1)
        yield block.reshape(-1, *shape)


@dataclass(frozen=True, eq=False)
class Taps:
    """The entries of a matrix that are not 0: y[outputs] += weights * x[inputs], C order.

    shape, output_shape: of x and y. outputs, inputs, weights: int64 [entries].
    """

    shape: Shape
    output_shape: Shape
    outputs: Indices
    inputs: Indices
    weights: Indices

    @classmethod
    def of(
        cls,
        linear: Callable[[NDArray[Any]], NDArray[Any]],
        shape: Shape,
        output_shape: Shape,
        dtype: type[np.floating],
    ) -> "Taps":
        """The taps of a map that is exact on 0 and 1 in `dtype`.

        Raises NetworkError where they do not fit into memory.
        """
        found: list[tuple[Indices, Indices, Indices]] = []
        first = held = 0
        for units in unit_vectors(shape):
            rows = linear(units.astype(dtype)).reshape(len(units), prod(output_shape))
            inputs, outputs = np.nonzero(rows)
            found.append((outputs, inputs + first, rows[inputs, outputs].astype(np.int64)))
            first, held = first + len(units), held + len(inputs)
            require(
                held <= MOST,
                f"the matrix of a {type(linear).__name__} on inputs of shape {shape} has more than "
                f"{MOST} entries that are not 0; use smaller frames, or let the class answer "
                "fan_in, spread, reads and convolution itself",
                NetworkError,
            )
        return cls(shape, output_shape, *map(np.concatenate, zip(*found, strict=True)))

    def dense(self) -> NDArray[np.int64]:
        """The matrix [outputs, inputs] with its zeros."""
        matrix = np.zeros((prod(self.output_shape), prod(self.shape)), np.int64)
        matrix[self.outputs, self.inputs] = self.weights
        return matrix

    def fan_in(self) -> int:
        """The most inputs that an output has."""
        return int(np.bincount(self.outputs, minlength=1).max())

    def spread(self, reached: Indices) -> Indices:
        """Every entry as 1, transposed: [*shape], of [*output_shape]."""
        paths = np.zeros(prod(self.shape), np.int64)
        np.add.at(paths, self.inputs, reached.ravel()[self.outputs])
        return paths.reshape(self.shape)

    def reads(self, block: Shape) -> Shape:
        """The sides of a box of inputs that holds what any block of outputs reads."""
        return tuple(
            min(_widest(*ends, size) for ends, size in zip(by_output, block, strict=True))
            for by_output in self._ranges
        )

    @cached_property
    def _ranges(self) -> Ranges:
        """By input axis and output axis: lowest and highest place read from each output place."""
        at = np.unravel_index(self.inputs, self.shape)
        reader = np.unravel_index(self.outputs, self.output_shape)
        return [
            [
                _ends(place, along, n, count)
                for along, n in zip(reader, self.output_shape, strict=True)
            ]
            for place, count in zip(at, self.shape, strict=True)
        ]


def _ends(place: Indices, along: Indices, n: int, count: int) -> tuple[Indices, Indices]:
    """Lowest and highest of `place`, below `count`, by `along`, below n."""
    lowest, highest = np.full(n, count), np.full(n, -1)
    np.minimum.at(lowest, along, place)
    np.maximum.at(highest, along, place)
    return lowest, highest


def _widest(lowest: Indices, highest: Indices, size: int) -> int:
    """The most places between the ends of any `size` neighbours; at least 1."""
    windows = (np.lib.stride_tricks.sliding_window_view(ends, size) for ends in (lowest, highest))
    low, high = next(windows).min(1), next(windows).max(1)
    return max(1, int((high - low).max()) + 1)
