"""How many connections one event travels: exact fan-out of every source neuron.

A connection is a path from a source neuron through the maps of a projection to one accumulator of
the target. One event on one connection is one synaptic operation: one stored weight (or the 1 of a
pool) added to one accumulator. So
- at borders only the taps that exist count, padding receives nothing;
- a zero weight counts: it is stored, fetched and added like any other;
- through a chain, an event counts once per path, which for pools whose windows do not overlap in
  front of a convolution is once per accumulator reached;
- a projection without maps has one connection per neuron.
"""

from functools import singledispatch
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError
from arlif.core.maps import Conv2d, Dense, LinearMap, Shape, SumPool2d, Window
from arlif.core.network import Projection, QuantizedNetwork

Counts = NDArray[np.int64]


def fan_out(network: QuantizedNetwork, projection: Projection) -> Counts:
    """Connections that leave each source neuron along a projection, int64 [*source shape].

    Raises ArlifError on a kind of map that is not known here.
    """
    shapes = [network.shape(projection.source)]
    for linear in projection.maps:
        shapes.append(linear.output_shape(shapes[-1]))
    reached = np.ones(shapes[-1], np.int64)
    for linear, shape in zip(reversed(projection.maps), reversed(shapes[:-1]), strict=True):
        reached = spread(linear, reached, shape)
    return reached


def nominal_connections(network: QuantizedNetwork, projection: Projection) -> int:
    """Connections if every window were full, padding included: what the literature calls MACs."""
    return int(np.prod([fan_in(linear) for linear in projection.maps], dtype=np.int64)) * int(
        np.prod(network.shape(projection.target))
    )


def weighted_maps(projection: Projection) -> tuple[Dense | Conv2d, ...]:
    """The maps of a projection that hold weights."""
    return tuple(linear for linear in projection.maps if isinstance(linear, Dense | Conv2d))


@singledispatch
def spread(linear: LinearMap, reached: Counts, shape: Shape) -> Counts:
    """The transposed map with every weight 1: paths from each input, given paths from each output.

    reached: int64 [*output shape]. shape: the input's. Returns int64 [*shape].
    """
    raise ArlifError(
        f"nobody has said how many connections a {type(linear).__name__} has; register it in "
        "hw_sim.energy.connections.spread and fan_in"
    )


@spread.register
def _(linear: Dense, reached: Counts, shape: Shape) -> Counts:
    return np.full(shape, reached.sum())


@spread.register
def _(linear: Conv2d, reached: Counts, shape: Shape) -> Counts:
    per_group = reached.reshape(linear.groups, -1, *reached.shape[1:]).sum(1)
    per_channel = np.repeat(per_group, shape[0] // linear.groups, axis=0)
    return _spread_window(linear.window, per_channel, shape)


@spread.register
def _(linear: SumPool2d, reached: Counts, shape: Shape) -> Counts:
    return _spread_window(linear.window, reached, shape)


def _spread_window(window: Window, reached: Counts, shape: Shape) -> Counts:
    """Add every output position's paths to the input positions under its window."""
    (sh, sw), (ph, pw), (dh, dw) = window.stride, window.padding, window.dilation
    height, width = reached.shape[1:]
    padded = np.zeros((shape[0], shape[1] + 2 * ph, shape[2] + 2 * pw), np.int64)
    for row in range(window.kernel[0]):
        for column in range(window.kernel[1]):
            top, left = row * dh, column * dw
            padded[:, top : top + sh * height : sh, left : left + sw * width : sw] += reached
    return padded[:, ph : ph + shape[1], pw : pw + shape[2]]


@singledispatch
def fan_in(linear: Any) -> int:
    """Inputs of one output of a map, padding included."""
    raise ArlifError(f"the fan-in of {type(linear).__name__} is unknown; register it")


@fan_in.register
def _(linear: Dense) -> int:
    return linear.weight.shape[1]


@fan_in.register
def _(linear: Conv2d) -> int:
    return int(np.prod(linear.weight.shape[1:]))


@fan_in.register
def _(linear: SumPool2d) -> int:
    return linear.kernel[0] * linear.kernel[1]


@singledispatch
def reads(linear: LinearMap, block: Shape, shape: Shape) -> Shape:
    """The most inputs that a block of outputs anywhere reads. shape: of all inputs."""
    raise ArlifError(
        f"nobody has said what a {type(linear).__name__} reads; register it in "
        "hw_sim.energy.connections.reads"
    )


@reads.register
def _(linear: Dense, block: Shape, shape: Shape) -> Shape:
    return shape


@reads.register
def _(linear: Conv2d, block: Shape, shape: Shape) -> Shape:
    per_group = linear.weight.shape[0] // linear.groups
    aligned = block[0] % per_group == 0 or per_group % block[0] == 0
    groups = ceil(block[0] / per_group) if aligned else (block[0] - 2) // per_group + 2
    channels = min(groups, linear.groups) * linear.weight.shape[1]
    return (channels, *_under(linear.window, block, shape))


@reads.register
def _(linear: SumPool2d, block: Shape, shape: Shape) -> Shape:
    return (block[0], *_under(linear.window, block, shape))


def _under(window: Window, block: Shape, shape: Shape) -> Shape:
    """Rows and columns under the windows of a block."""
    sides = zip(*(block[1:], shape[1:], window.kernel, window.stride, window.dilation), strict=True)
    return tuple(
        min(n, count * k, (count - 1) * stride + dilation * (k - 1) + 1)
        for count, n, k, stride, dilation in sides
    )
