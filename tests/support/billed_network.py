"""A small network with everything that is billed, and what one sample sends through it.

    input 1 x 3 x 3, 0 to 3 -- conv 3 x 3, border 1 --> "image": LIF 2 x 3 x 3
    "image" -- sums of 2 x 2, dense --> "flat": AR-LIF 3 <-- conv 2 x 2, dense -- input
    "flat" -- dense --> readout, 2 classes

Two time steps. Spikes are given, not simulated.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.formats import FixedPointFormat
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
from arlif.core.tables import LookupTable
from hw_sim.engines.simulation import Simulation
from support.raw_neurons import arlif, lif_soft


def billed_network() -> QuantizedNetwork:
    kernels = np.ones((2, 1, 3, 3), int)
    kernels[0, 0, 1, 1] = 7  # channel 0 adds up to 15
    kernels[1] = 0
    kernels[1, 0, 1, 1] = -7
    pooled = np.zeros((3, 8), int)
    pooled[0, 0], pooled[1, :2] = 100, -50
    viewed = np.array([[31, 0, 0, 0], [-1, -1, -1, -1], [0, 0, 0, 0]])

    def table(values: int | range) -> LookupTable:
        return LookupTable(np.broadcast_to(np.array(values), 16), -32, 2)

    lif = lif_soft(FixedPointFormat(12, 6), 5, decay=16, threshold=64)
    tables = (table(20), table(range(1, 17)), table(range(-16, 0)), table(9))
    adaptive = arlif(FixedPointFormat(10, 4), 4, 8, *tables)
    image = Population("image", (2, 3, 3), lif, np.ones(2), 4, np.zeros(2))
    flat = Population("flat", (3,), adaptive, np.ones(3), 6, np.zeros(3))
    projections = (
        Projection(INPUT, "image", (Conv2d(kernels, padding=(1, 1)),)),
        Projection("image", "flat", (SumPool2d((2, 2), (1, 1)), Dense(pooled))),
        Projection(INPUT, "flat", (Conv2d(np.ones((1, 1, 2, 2), int)), Dense(viewed))),
        Projection("flat", READOUT, (Dense(np.array([[1, 1, 1], [-1, -1, -1]])),)),
    )
    source = Input((1, 3, 3), 1.0, 0, 3, static=False)
    return QuantizedNetwork(source, (image, flat), projections, Readout([5, -5]), 2)


def billed_sample() -> tuple[NDArray[np.int8], dict[str, NDArray[Any]]]:
    """One sample: 3 pixels that are not 0, 4 spikes of the image, 3 of the flat layer."""
    frames = np.zeros((2, 1, 1, 3, 3), np.int8)
    frames[0, 0, 0, 1, 1], frames[0, 0, 0, 0, 0], frames[1, 0, 0, 0, 1] = 2, 1, 3
    image = np.zeros((1, 2, 3, 3), np.uint8)
    image[0, 0, 0, 0], image[0, 0, 1, 1], image[0, 1, 0, 1] = 1, 2, 1
    return frames, {"image": image, "flat": np.array([[2, 0, 1]], np.uint8)}


def sent(counts: dict[str, NDArray[Any]]) -> Simulation:
    """A simulation that says only how often the neurons fired."""
    samples = len(next(iter(counts.values())))
    return Simulation(np.zeros((samples, 2), np.int64), counts, {})
