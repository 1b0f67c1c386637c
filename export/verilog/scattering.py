"""A projection as hardware walks it: which paths lead from a row, a column and a channel.

Windows act on rows and columns apart, so a chain of pools before weights is two lists of paths, and
a path names the output and the place in the kernel. What is no such chain is taken as its matrix.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.maps import (
    Conv2d,
    Dense,
    LinearMap,
    Shape,
    SumPool2d,
    Window,
    apply_chain,
    chain_magnitude,
    chain_shape,
    exact_float,
)
from arlif.core.maps.taps import Taps

Paths = tuple[tuple[tuple[int, int], ...], ...]
"""For every row (or column) of the source: pairs of a row of the target and one of the kernel."""
LARGEST = 1 << 24
"""Weights of a matrix that stands for maps that are no pools before weights."""


@dataclass(frozen=True)
class Scattering:
    """target[c', y', x'] += weights[ky, kx, c, c'] for every path (y', ky) of y and (x', kx) of x.

    weights: int64 [kernel rows, kernel columns, source channels, target channels]. groups: channels
    reach only their own group of the target's.
    """

    rows: Paths
    columns: Paths
    weights: NDArray[np.int64]
    groups: int = 1

    def taps(self, y: int, x: int) -> int:
        """Pairs of paths from a place of the source."""
        return len(self.rows[y]) * len(self.columns[x])


def frame(shape: Shape) -> tuple[int, int, int]:
    """(channels, rows, columns) of a node; features are channels of one place."""
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (shape[0], 1, 1)


def scattering(maps: tuple[LinearMap, ...], source: Shape) -> Scattering:
    """The paths of a projection. Raises NetworkError where its matrix would be too large."""
    channels, height, width = frame(source)
    pools, last = maps, None
    if maps and isinstance(maps[-1], Dense | Conv2d):
        pools, last = maps[:-1], maps[-1]
    if not all(isinstance(pool, SumPool2d) for pool in pools):
        return _matrix(maps, source)
    rows: list[list[int]] = [[y] for y in range(height)]
    columns: list[list[int]] = [[x] for x in range(width)]
    shape = source
    for pool in pools:
        assert isinstance(pool, SumPool2d)
        shape = pool.output_shape(shape)
        rows, columns = (
            [
                [o for n in reached for o, _ in _through(pool.window, axis, n, shape)]
                for reached in side
            ]
            for axis, side in enumerate((rows, columns))
        )
    if isinstance(last, Conv2d):
        shape = last.output_shape(shape)
        ends = [_ends(last.window, axis, side, shape) for axis, side in enumerate((rows, columns))]
        return Scattering(ends[0], ends[1], _grouped(last), last.groups)
    if isinstance(last, Dense):
        weights = last.weight.reshape(-1, *frame(shape)).transpose(2, 3, 1, 0)
        inner = [
            tuple(tuple((0, n) for n in reached) for reached in side) for side in (rows, columns)
        ]
        return Scattering(inner[0], inner[1], weights.astype(np.int64))
    same = [tuple(tuple((n, 0) for n in reached) for reached in side) for side in (rows, columns)]
    return Scattering(same[0], same[1], np.eye(channels, dtype=np.int64)[None, None], channels)


def windowed(windows: tuple[Window, ...], source: Shape) -> tuple[Paths, Paths, Shape]:
    """Which rows and columns the ORs over windows, one after another, reach; and their shape."""
    shape = source
    sides = [[[n] for n in range(size)] for size in source[1:]]
    for window in windows:
        shape = (shape[0], *window.output_size(shape))
        sides = [
            [
                sorted({o for n in reached for o, _ in _through(window, axis, n, shape)})
                for reached in side
            ]
            for axis, side in enumerate(sides)
        ]
    rows, columns = (tuple(tuple((n, 0) for n in reached) for reached in side) for side in sides)
    return rows, columns, shape


def _through(window: Window, axis: int, place: int, shape: Shape) -> list[tuple[int, int]]:
    """Outputs along an axis that a place is part of, each with its place in the kernel."""
    stride, padding, dilation = (s[axis] for s in (window.stride, window.padding, window.dilation))
    found = []
    for kernel in range(window.kernel[axis]):
        output, rest = divmod(place + padding - kernel * dilation, stride)
        if rest == 0 and 0 <= output < shape[1 + axis]:
            found.append((output, kernel))
    return found


def _ends(window: Window, axis: int, side: list[list[int]], shape: Shape) -> Paths:
    return tuple(
        tuple(path for place in reached for path in _through(window, axis, place, shape))
        for reached in side
    )


def _grouped(conv: Conv2d) -> NDArray[np.int64]:
    """The weights [kH, kW, Cin, Cout] of a convolution, 0 between groups."""
    outputs, inner, height, width = conv.weight.shape
    whole = np.zeros(
        (conv.groups, inner, conv.groups, outputs // conv.groups, height, width), np.int64
    )
    parts = conv.weight.reshape(conv.groups, -1, inner, height, width)
    for group, part in enumerate(parts):
        whole[group, :, group] = part.swapaxes(0, 1)
    return whole.reshape(conv.groups * inner, outputs, height, width).transpose(2, 3, 0, 1)


def _matrix(maps: tuple[LinearMap, ...], source: Shape) -> Scattering:
    """Any chain: every place of the source reaches every place of the target."""
    target = chain_shape(maps, source)
    names = " then ".join(type(linear).__name__ for linear in maps)
    size = prod(source) * prod(target)
    require(
        size <= LARGEST,
        f"in Verilog, {names} on {source} is kept as a matrix of {size:,} weights, and at most "
        f"{LARGEST:,} are; pools come before one map with weights",
        NetworkError,
    )
    dtype = exact_float(chain_magnitude(maps, (0, 1)))
    taps = Taps.of(lambda x: apply_chain(maps, x, (0, 1)), source, target, dtype)
    (c, h, w), (oc, oh, ow) = frame(source), frame(target)
    weights = taps.dense().reshape(oc, oh, ow, c, h, w).transpose(4, 1, 5, 2, 3, 0)
    rows, columns = (
        tuple(tuple((o, n * outs + o) for o in range(outs)) for n in range(ins))
        for ins, outs in ((h, oh), (w, ow))
    )
    return Scattering(rows, columns, weights.reshape(h * oh, w * ow, c, oc))
