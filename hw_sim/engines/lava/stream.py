"""When each sample passes through each layer: samples stream back to back, many abreast."""

from dataclasses import dataclass

from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from hw_sim.engines.lava.lava_options import Models


@dataclass(frozen=True)
class Stream:
    """Samples in blocks of `batch`, each block `time_steps` long, one block after another.

    Step t of the network's time reaches a layer of depth d at Lava's time step t + d + 1, since
    every connection takes a step and Lava counts from 1.
    """

    samples: int
    time_steps: int
    batch: int

    @property
    def length(self) -> int:
        """Network time steps in the whole stream."""
        return -(-self.samples // self.batch) * self.time_steps

    def position(self, lava_step: int, depth: int) -> tuple[int, slice] | None:
        """Which step of which samples a layer handles now; None before its first and after."""
        step = lava_step - 1 - depth
        if not 0 <= step < self.length:
            return None
        block, t = divmod(step, self.time_steps)
        start = block * self.batch
        return t, slice(start, min(start + self.batch, self.samples))


def depths(network: QuantizedNetwork, models: Models) -> dict[str, int]:
    """Time steps from the input to each node, along the slowest path."""
    depth = {INPUT: 0}
    for name in (*(p.name for p in network.populations), READOUT):
        depth[name] = max(depth[p.source] + models.steps(p) for p in network.incoming(name))
    return depth
