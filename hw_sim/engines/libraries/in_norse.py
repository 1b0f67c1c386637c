"""The engine norse."""

from typing import Any

import nir
from torch import nn

from arlif.base.options import NoOptions
from arlif.base.reached import reached
from export.nir.conventions import DT
from hw_sim.engines.libraries.frame_by_frame import packages, run_in
from hw_sim.engines.work import Outcome, Work

BRANCHES = "it lets all but one of the branches that meet there come a time step late"
LEFT_OUT = "it leaves out what it has no counterpart of"
CURES = {
    BRANCHES: "take the engine snntorch or spikingjelly",
    LEFT_OUT: "let the answer be the mean of the potentials over time, which needs no integrator, "
    "and have no delays",
}
"""What to do where Norse 1.1 is wrong, by a part of the text."""

TAKEN = (
    *(nir.Input, nir.Output, nir.Affine, nir.Linear, nir.Conv2d, nir.SumPool2d, nir.Flatten),
    *(nir.IF, nir.LIF, nir.CubaLIF),
)
"""What Norse 1.1 makes of a graph; it goes on without a word where there is more."""


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as Norse reads it."""
    (reader,) = packages("norse", "norse.torch")
    return run_in("norse", lambda graph: read(reader, graph), work, CURES)


def read(reader: Any, graph: nir.NIRGraph) -> nn.Module:
    """The network that norse.torch, the reader, makes of a graph.

    Raises ValueError where it has no counterpart of a node, and where branches meet: nirtorch's
    executor, which Norse 1.1 takes, walks a graph branch by branch, so that what the others send to
    a node that it has walked waits for a step.
    """
    others = [
        f"{name} ({type(n).__name__})" for name, n in graph.nodes.items() if type(n) not in TAKEN
    ]
    if others:
        raise ValueError(f"{', '.join(others)}: {LEFT_OUT}")
    network: nn.Module = reader.from_nir(graph, dt=DT, ignore_warnings=True)
    executor: Any = network
    places = {node: place for place, node in enumerate(executor.execution_order)}
    late = [
        node.name
        for node, place in places.items()
        if any(
            # what closes a loop waits for a step in every reader
            places[source] > place and source not in reached([node], lambda n: n.outgoing_nodes)
            for source in executor.graph.find_source_nodes_of(node)
        )
    ]
    if late:
        raise ValueError(f"{', '.join(late)}: {BRANCHES}")
    return network
