"""What --style auto chooses, from what golden vectors make a network send."""

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Shape, chain_paths, chain_shape
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.core.nodes import Projection
from export.c.c_options import Style
from export.c.events_at_once import obstacle
from export.golden import Golden

EVENT_COST = 1.5
"""Instructions of an event's addition over those of a multiplication and addition in a full sum.

Measured on the digits network, whose firing was varied: 1.53 on a Cortex-M4 (7.66 over 5.02), 1.35
on a Cortex-M0 and 1.31 on RV32IMAC (Clang of ziglang 0.17.1, -Os).
"""


def can_scatter(network: QuantizedNetwork) -> frozenset[int]:
    """The projections without an obstacle, by their place in the network."""
    return frozenset(n for n, p in enumerate(network.projections) if not obstacle(network, p))


def should_scatter(network: QuantizedNetwork, vectors: Golden) -> frozenset[int]:
    """Those whose events, at the rates of the golden vectors, cost less than full sums."""
    chosen = []
    for number in can_scatter(network):
        projection = network.projections[number]
        shape = network.shape(projection.source)
        rates = _rates(network, vectors, projection.source)
        events = (rates * chain_paths(projection.maps, shape)).sum()
        if EVENT_COST * events < _products(projection, shape):
            chosen.append(number)
    return frozenset(chosen)


def styles(network: QuantizedNetwork, style: Style, scattered: frozenset[int]) -> str:
    """What README.md says of the style; why projections are gathered in a program of events."""
    if style is not Style.EVENT:
        return f"The code is of the style `{style}`."
    lines = ["The code is of the style `event`. These projections are summed in full instead:", ""]
    for number, projection in enumerate(network.projections):
        if number not in scattered:
            reason = (
                obstacle(network, projection) or "at the rates of its golden vectors that is less"
            )
            lines.append(f"- {projection}: {reason}")
    return "\n".join(lines) if len(lines) > 2 else "The code is of the style `event`."


def _rates(network: QuantizedNetwork, vectors: Golden, name: str) -> NDArray[np.float64]:
    """The share of samples and steps in which each neuron of a node sent something."""
    if name == INPUT:
        raw = vectors.inputs.reshape(-1, *network.input.shape)
        return np.asarray((raw != 0).mean(0), np.float64)
    spikes = [np.asarray(step.moments[name].spikes) != 0 for step in vectors.steps]
    return np.asarray(np.mean(spikes, (0, 1)), np.float64)


def _products(projection: Projection, shape: Shape) -> int:
    """Multiplications of the last map where every sum is formed in full."""
    before = chain_shape(projection.maps[:-1], shape)
    if not projection.maps:
        return int(np.prod(shape))
    return int(chain_paths(projection.maps[-1:], before).sum())
