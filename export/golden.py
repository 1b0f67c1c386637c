"""Golden vectors: inputs of a network and what it makes of them, for checks without Python."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.execution import Step, run_steps
from arlif.core.network import QuantizedNetwork

SEED = 0

FEW = 4
"""So many inputs are taken of any network."""
MOST = 1 << 24
"""Of more inputs, so many updates of neurons are held at most, some hundred megabytes."""


@dataclass(frozen=True)
class Golden:
    """inputs: raw, int8 [N, *shape] (static) or [T, N, *shape]. steps: what the network did."""

    inputs: NDArray[np.int8]
    steps: list[Step]

    @property
    def readout(self) -> NDArray[np.int64]:
        """[N, classes], summed over time."""
        total: Any = sum(step.readout for step in self.steps)
        return np.asarray(total, np.int64)


def golden(network: QuantizedNetwork, count: int) -> Golden:
    """`count` inputs, the same for equal networks: uniform over the raw range, some sparse.

    The first is the largest number everywhere, the second the smallest, as far as there are these.
    Raises ArlifError where it would be too much to hold.
    """
    each = network.time_steps * sum(prod(p.shape) for p in network.populations)
    most = max(FEW, MOST // max(1, each))
    require(
        count <= most,
        f"{count:,} golden vectors are more than the {most:,} of this network that memory is kept "
        "for; take fewer, and simulate the others",
    )
    source = network.input
    lead = (count,) if source.static else (network.time_steps, count)
    rng = np.random.default_rng(SEED)
    inputs = rng.integers(source.low, source.high + 1, (*lead, *source.shape)).astype(np.int8)
    inputs[rng.random(inputs.shape) < 0.3] = 0
    along = np.moveaxis(inputs, source.sample_axis, 0)
    for sample, end in zip(along[: count // 2], (source.high, source.low), strict=False):
        sample[...] = end
    return golden_of(network, inputs)


def golden_of(network: QuantizedNetwork, inputs: NDArray[np.int8]) -> Golden:
    """What the network makes of raw inputs within its range, in the T that it was trained for."""
    return Golden(inputs, [*run_steps(network, inputs, network.time_steps)])
