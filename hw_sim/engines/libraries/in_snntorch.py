"""The engine snntorch."""

from functools import partial
from typing import Any

import nir
from torch import nn

from arlif.base.options import NoOptions
from hw_sim.engines.libraries.frame_by_frame import UNREAD, packages, run_in
from hw_sim.engines.work import Outcome, Work

LOOP = "it hands what enters a loop of neurons to the loop's own weights"
CURES = {
    **UNREAD,
    "r != 1": "give its neurons a decay below 1, or take the engine norse or spikingjelly",
    "must be same": "give all neurons of a layer the same constants, or take the engine norse",
    "has no attribute 'items'": "it reads no loops; take the engine norse or spikingjelly",
    LOOP: "take the engine norse or spikingjelly",
}
"""What to do about an error of snnTorch 1.0, or where it is wrong, by a part of the text."""


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as snnTorch reads it, whose time step is always 1e-4 s."""
    (reader,) = packages("snntorch", "snntorch.import_nir")
    return run_in("snntorch", partial(read, reader), work, CURES)


def read(reader: Any, graph: nir.NIRGraph) -> nn.Module:
    """The network that snntorch.import_nir makes of a graph.

    Raises ValueError where a neuron feeds itself through weights alone: snnTorch 1.0 makes a graph
    of its own of the two, whose input goes to the weights, and computes another network.
    """
    edges = {*graph.edges}
    loops = [
        name
        for name, node in graph.nodes.items()
        if isinstance(node, nir.LIF) and any((b, a) in edges for a, b in edges if a == name)
    ]
    if loops:
        raise ValueError(f"{', '.join(loops)}: {LOOP}")
    network: nn.Module = reader.import_from_nir(graph)
    return network
