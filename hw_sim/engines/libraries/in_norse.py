"""The engine norse."""

from typing import Any

import nir
from torch import nn

from arlif.base.options import NoOptions
from export.nir.conventions import DT
from hw_sim.engines.libraries.frame_by_frame import packages, run_in
from hw_sim.engines.work import Outcome, Work

BRANCHES = "it lets all but one of the branches that meet there come a time step late"
CURES = {BRANCHES: "take the engine snntorch or spikingjelly"}
"""What to do where Norse 1.1 is wrong, by a part of the text."""


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as Norse reads it."""
    tracing, reader = packages("norse", "nirtorch.graph_utils", "norse.torch")

    def load(graph: nir.NIRGraph) -> nn.Module:
        return read(tracing, reader, graph)

    return run_in("norse", load, work, CURES)


def read(tracing: Any, reader: Any, graph: nir.NIRGraph) -> nn.Module:
    """The network that norse.torch makes of a graph; tracing is nirtorch.graph_utils.

    Raises ValueError where branches meet: nirtorch's executor, which Norse 1.1 takes, walks a graph
    branch by branch, so that what the others send to a node that it has walked waits for a step.
    """
    network: nn.Module = reader.from_nir(graph, dt=DT, ignore_warnings=True)
    executor: Any = network
    places = {node: place for place, node in enumerate(executor.execution_order)}
    late = [
        node.name
        for node, place in places.items()
        if any(
            places[source] > place and source not in _reached(tracing, node)
            for source in executor.graph.find_source_nodes_of(node)
        )
    ]
    if late:
        raise ValueError(f"{', '.join(late)}: {BRANCHES}")
    return network


def _reached(tracing: Any, node: Any) -> set[Any]:
    """Where a node's output comes to; what closes a loop waits for a step in every reader."""
    return {*tracing.trace_execution(node, lambda one: one.outgoing_nodes.keys())}
