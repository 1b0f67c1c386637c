"""How many connections one event travels: exact fan-out of every source neuron.

A connection is a path from a source neuron through the maps of a projection to one accumulator of
the target. One event on one connection is one synaptic operation: one stored weight (or the 1 of a
pool) added to one accumulator. So
- at borders only the taps that exist count, padding receives nothing;
- a zero weight counts: it is stored, fetched and added like any other;
- of a map that does not count its own connections, those of its matrix that are not 0 count;
- through a chain, an event counts once per path, which for pools whose windows do not overlap in
  front of a convolution is once per accumulator reached;
- a projection without maps has one connection per neuron;
- behind an OR of spikes (max pooling) an event is what the OR sends.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import LinearMap, Shape, chain_paths, chain_shapes
from arlif.core.network import Pooled, Projection, QuantizedNetwork

Counts = NDArray[np.int64]


def fan_out(network: QuantizedNetwork, projection: Projection) -> Counts:
    """Connections that leave each place of what enters a projection's maps, int64 [*shape]."""
    return chain_paths(projection.maps, network.shape(projection.entering))


def windows_over(network: QuantizedNetwork, pooled: Pooled) -> Counts:
    """Windows of an OR that each spike lies under, int64 [C, H, W] of what it reads."""
    reached = np.ones(network.shape(pooled.name), np.int64)
    return pooled.window.spread(reached, network.shape(pooled.source))


def nominal_connections(network: QuantizedNetwork, projection: Projection) -> int:
    """Connections if every window were full, padding included: what the literature calls MACs."""
    paths = prod(linear.fan_in(shape) for linear, shape in maps_and_shapes(network, projection))
    return paths * prod(network.shape(projection.target))


def stored_weights(projection: Projection) -> tuple[NDArray[np.int8], ...]:
    """The weights of each map of a projection that has some."""
    found = (linear.stored_weights() for linear in projection.maps)
    return tuple(weights for weights in found if weights is not None)


def maps_and_shapes(
    network: QuantizedNetwork, projection: Projection
) -> list[tuple[LinearMap, Shape]]:
    """The maps of a projection, each with the shape of its inputs."""
    shapes = chain_shapes(projection.maps, network.shape(projection.entering))
    return list(zip(projection.maps, shapes, strict=False))
