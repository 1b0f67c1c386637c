"""Random networks that stock Lava can run."""

import numpy as np
from hypothesis import strategies as st

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense, LinearMap, Shape, SumPool2d, chain_shape
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from support import raw_neurons
from support.strategies_neurons import rngs


@st.composite
def stock_networks(draw: st.DrawFn, cuba: bool = False) -> QuantizedNetwork:
    """Networks that keep every rule of stock Lava: chains of LIF with hard reset, or CUBA."""
    rng = draw(rngs())
    side = st.integers(4, 8)
    shape: Shape = (draw(st.integers(1, 2)), draw(side), draw(side))
    convolutions = draw(st.integers(0, 3))
    low, high = draw(st.sampled_from(((0, 1), (-20, 90) if convolutions else (-1, 5))))
    network = Input(shape, 1.0, low, high, draw(st.booleans()))
    placed: list[Population] = []
    projections: list[Projection] = []
    sender = INPUT
    for index in range(convolutions):
        pooled = draw(st.booleans()) and min(shape[1:]) >= 6
        maps: list[LinearMap] = [SumPool2d((2, 2), (2, 2))] if pooled else []
        inner = maps[0].output_shape(shape) if pooled else shape
        weight = rng.integers(-20, 40, (2 * inner[0], 1, 2, 3)).astype(np.int8)
        padding = (0, 0) if pooled else (1, 2)
        maps.append(Conv2d(weight, (1, 1), padding, groups=inner[0]))
        projections.append(Projection(sender, f"p{index}", tuple(maps)))
        shape = chain_shape(tuple(maps), shape)
        placed.append(
            _stock_population(rng, f"p{index}", shape, 20 * high if index == 0 else 20, cuba)
        )
        sender = f"p{index}"
    weight = rng.integers(-30, 60, (6, int(np.prod(shape)))).astype(np.int8)
    pool = draw(st.booleans()) and min(shape[1:]) >= 2
    maps = [SumPool2d((2, 2), (2, 2))] if pool else []
    if pool:
        weight = weight[:, : int(np.prod(maps[0].output_shape(shape)))]
    projections.append(Projection(sender, "flat", (*maps, Dense(weight))))
    placed.append(_stock_population(rng, "flat", (6,), 10 * weight.shape[1], cuba))
    last = Dense(rng.integers(-127, 128, (3, 6)).astype(np.int8))
    projections.append(Projection("flat", READOUT, (last,)))
    readout = Readout(rng.integers(-100, 101, 3).astype(np.int32))
    return QuantizedNetwork(network, tuple(placed), tuple(projections), readout, 5)


def _stock_population(
    rng: np.random.Generator, name: str, shape: Shape, threshold: int, cuba: bool
) -> Population:
    decay, raw = int(rng.integers(0, 3000)), 64 * threshold + 1
    bias = (64 * rng.integers(-10, 30, shape[0])).astype(np.int32)
    gain = np.full(shape[0], 64, np.uint8)
    if not cuba:
        neuron = raw_neurons.lif_hard(FixedPointFormat(24, 12), 12, decay, raw)
        return Population(name, shape, neuron, gain, 0, bias)
    per_neuron = bias.reshape(-1, *(1 for _ in shape[1:]))
    neuron = raw_neurons.cuba(
        FixedPointFormat(25, 6), 12, decay, int(rng.integers(0, 3000)), raw, per_neuron
    )
    return Population(name, shape, neuron, gain, 0, np.zeros_like(bias))
