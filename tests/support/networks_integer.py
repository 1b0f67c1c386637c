"""Quantized networks by hand, without torch."""

import numpy as np

from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from arlif.core.maps import Conv2d, Dense, SumPool2d
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.real_neurons import RealArlif
from support.raw_neurons import lif_soft, sampled


def example_network() -> QuantizedNetwork:
    """Every kind of map, two neurons, two projections into one population."""
    numbers = PRESETS["compact16"]
    arlif = sampled(RealArlif(0.5, 1.0, 0.9, 0.2), numbers)
    lif = lif_soft(numbers.state_format, 8, 128, 256)
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int8)

    def population(name: str, shape: tuple[int, ...], neuron: IntegerNeuron):
        return Population(name, shape, neuron, np.full(shape[0], 3), 9, np.arange(shape[0]))

    return QuantizedNetwork(
        Input((2, 6, 6), 0.01),
        (population("conv", (3, 6, 6), arlif), population("mixed", (5,), lif)),
        (
            Projection(INPUT, "conv", (Conv2d(weight(3, 2, 3, 3), padding=(1, 1)),)),
            Projection("conv", "mixed", (SumPool2d((2, 2), (2, 2)), Dense(weight(5, 27))), 2),
            Projection(INPUT, "mixed", (Dense(weight(5, 72)),)),
            Projection("mixed", READOUT, ()),
        ),
        Readout(np.arange(5), 0.5),
        time_steps=4,
    )
