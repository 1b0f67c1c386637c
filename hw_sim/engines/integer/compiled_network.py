"""A network compiled for a device: what the fast engine prepares once, for any number of runs."""

import torch

from arlif.base.errors import SimulationError, require
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.kernels.reused import ReusedMemory
from hw_sim.engines.integer.projection import ProjectionSum
from hw_sim.engines.integer.update import population_update


class CompiledNetwork:
    """Sums and updates of every population.

    waits: how many frames of a node or an OR are still awaited. read: what the readout sums, by
    name and delay. last_read_by: for every part of the network, whose frames no later part reads.
    """

    def __init__(self, network: QuantizedNetwork, device: str = "cpu") -> None:
        self.network, self.device = network, _present(device)
        self.empty = ReusedMemory().empty
        names = [p.name for p in network.populations]
        self.sums = {name: self._sum(name) for name in names}
        self.readouts: dict[int, ProjectionSum] = {}
        self.updates = {
            p.name: population_update(p, self.device, self.empty) for p in network.populations
        }
        self.waits = {name: network.waits(name) for name in (INPUT, *names, *network.ors)}
        self.read = {(p.entering, p.delay) for p in network.incoming(READOUT)}
        self.last_read_by = _last_read_by(network)

    def readout_sum(self, steps: int) -> ProjectionSum:
        """The readout is linear and has no memory: it reads spikes that are summed over time."""
        if steps not in self.readouts:
            self.readouts[steps] = self._sum(READOUT, steps)
        return self.readouts[steps]

    def _sum(self, target: str, frames: int = 1) -> ProjectionSum:
        return ProjectionSum(self.network, target, self.device, self.empty, frames)


def _last_read_by(network: QuantizedNetwork) -> list[list[str]]:
    """For every part of the network, the nodes and ORs whose frames no later part reads."""
    place = {p.name: index for index, part in enumerate(network.loops) for p in part}
    last = {INPUT: 0} | place
    last |= {pooled.name: last[node] for node in last for pooled in network.ors_of(node)}
    for projection in network.projections:
        if projection.target in place:
            source = projection.entering
            last[source] = max(last[source], place[projection.target])
    return [[name for name, at in last.items() if at == i] for i in range(len(network.loops))]


def _present(device: str) -> torch.device:
    """The device of that name. Raises SimulationError where torch can use none."""
    found = torch.device(device)
    require(
        found.type != "cuda" or torch.cuda.is_available(),
        f"device {device} needs a GPU, and torch finds none that it can use; compute on cpu",
        SimulationError,
    )
    return found
