"""Networks around a map that arlif does not have, alone and between the maps that it has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense, LinearMap, SumPool2d, chain_magnitude, chain_shape
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from support.raw_neurons import lif_soft
from support.strategies import Case

TIME_STEPS = 4


@dataclass(frozen=True)
class Builder:
    """Random weights, and populations that spike."""

    rng: np.random.Generator

    def weight(self, *shape: int) -> NDArray[np.int8]:
        """Small weights, none of them 0."""
        return (self.rng.integers(1, 20, shape) * self.rng.choice([-1, 1], shape)).astype(np.int8)

    def population(self, name: str, shape: tuple[int, ...], reach: int) -> Population:
        """Soft-reset LIF whose currents reach eight thresholds for an accumulator at `reach`."""
        form = FixedPointFormat()
        shift = max(0, int(np.log2(reach * 256 / (8 * form.one))))
        gain = self.rng.integers(128, 256, shape[0])
        bias = self.rng.integers(-form.one // 8, form.one // 2, shape[0])
        neuron = lif_soft(form, 8, decay=128, threshold=form.one)
        return Population(name, shape, neuron, gain, shift, bias)


def toy_case(toy: LinearMap, behind: tuple[LinearMap, ...], static: bool) -> Case:
    """The map before, behind and between others, on pixels and on spikes.

    behind: what stands behind the last matrix, on four features.
    """
    build = Builder(np.random.default_rng(0))
    source = Input((2, 4, 9), 0.1, -9, 90, static)
    pool = SumPool2d((2, 2), (2, 2))
    shapes, placed, projections = {INPUT: source.shape}, [], []

    def connect(sender: str, name: str, *maps: LinearMap) -> None:
        projections.append(Projection(sender, name, maps, shift=len(projections) % 2))
        shapes[name] = chain_shape(maps, shapes[sender])
        if name not in (READOUT, *(p.name for p in placed)):
            interval = (source.low, source.high) if sender == INPUT else (0, 1)
            reach = chain_magnitude(maps, interval)
            placed.append(build.population(name, shapes[name], reach))

    connect(INPUT, "a", Conv2d(build.weight(3, 2, 3, 3), padding=(1, 1)), toy)
    connect("a", "b", toy, pool)
    flat = int(np.prod(chain_shape((pool, toy), shapes["b"])))
    connect("b", "c", pool, toy, Dense(build.weight(6, flat)))
    pixels = int(np.prod(toy.output_shape(source.shape)))
    connect(INPUT, "c", toy, Dense(build.weight(6, pixels)))
    connect("c", READOUT, Dense(build.weight(4, 6)), *behind)
    readout = Readout(np.arange(4))
    network = QuantizedNetwork(source, tuple(placed), tuple(projections), readout, TIME_STEPS)
    lead = (3,) if static else (TIME_STEPS, 3)
    inputs = build.rng.integers(source.low, source.high + 1, (*lead, *source.shape))
    return Case(network, inputs.astype(np.int8), TIME_STEPS)
