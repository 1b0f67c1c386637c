"""Integer linear maps: what a projection does to spikes before they are summed.

A kind of map is one class, in a file of its own, with a row in MAPS; see LinearMap. Shapes leave
out time and batch; data is [..., C, H, W] or [..., features].
"""

from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps.bounds import Interval, Shape, exact_float
from arlif.core.maps.conv2d import Conv2d, as_convolution
from arlif.core.maps.dense import Dense, as_dense
from arlif.core.maps.linear_map import LinearMap
from arlif.core.maps.sum_pool2d import SumPool2d
from arlif.core.maps.window import Window

__all__ = [
    "MAPS",
    "Conv2d",
    "Dense",
    "Interval",
    "LinearMap",
    "Shape",
    "SumPool2d",
    "Window",
    "apply_chain",
    "as_convolution",
    "as_dense",
    "chain_interval",
    "chain_magnitude",
    "chain_paths",
    "chain_shape",
    "chain_shapes",
    "exact_float",
]

MAPS: dict[str, type[LinearMap]] = {cls.__name__: cls for cls in (Dense, Conv2d, SumPool2d)}
"""Every linear map by the name it has in files."""


def chain_shape(maps: tuple[LinearMap, ...], shape: Shape) -> Shape:
    """Output shape of maps applied one after another."""
    return reduce(lambda shape, linear: linear.output_shape(shape), maps, shape)


def chain_shapes(maps: tuple[LinearMap, ...], shape: Shape) -> list[Shape]:
    """Shapes of what enters each of the maps, one after another, and of what the last one gives."""
    return [*accumulate(maps, lambda at, linear: linear.output_shape(at), initial=shape)]


def chain_interval(maps: tuple[LinearMap, ...], interval: Interval) -> Interval:
    """Output interval of maps applied one after another."""
    return reduce(lambda interval, linear: linear.output_interval(interval), maps, interval)


def chain_magnitude(maps: tuple[LinearMap, ...], interval: Interval) -> int:
    """The largest partial sum anywhere along the chain; decides which arithmetic is exact."""
    bound = max(-interval[0], interval[1])
    for linear in maps:
        bound = max(bound, linear.magnitude(interval))
        interval = linear.output_interval(interval)
    return bound


def chain_paths(maps: tuple[LinearMap, ...], shape: Shape) -> NDArray[np.int64]:
    """Paths from each input of `shape` to outputs of maps one after another, int64 [*shape]."""
    shapes = chain_shapes(maps, shape)
    reached = np.ones(shapes.pop(), np.int64)
    for linear, before in zip(reversed(maps), reversed(shapes), strict=True):
        reached = linear.spread(reached, before)
    return reached


def apply_chain(
    maps: tuple[LinearMap, ...], x: NDArray[Any], interval: Interval
) -> NDArray[np.int64]:
    """Evaluate a chain exactly. x: integers [N, *shape] in `interval`; returns int64."""
    values: NDArray[Any] = x.astype(exact_float(chain_magnitude(maps, interval)))
    for linear in maps:
        values = linear(values)
    return values.astype(np.int64)
