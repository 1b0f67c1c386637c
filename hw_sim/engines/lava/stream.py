"""When each sample passes through each layer: samples stream back to back, many abreast."""

from dataclasses import dataclass

from arlif.base.errors import SimulationError, require
from arlif.core.network import INPUT, READOUT, Projection, QuantizedNetwork
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
    """Lava's time steps from the input to each node, along the slowest path.

    Every connection takes a step, so a delay of the network is as much time to spare.
    Raises SimulationError where a loop takes more steps than its delays give it.
    """
    waiting = [p for p in network.projections if p.delay]
    require(
        not waiting or models is not Models.STOCK,
        f"projection {', '.join(map(str, waiting))} has a delay, and Lava's own synapses cannot "
        "forget what is on its way when a sample ends; use --lava-models fast",
        SimulationError,
    )
    names = [INPUT, *(p.name for p in network.populations), READOUT]
    depth = dict.fromkeys(names, 0)
    slowest: dict[str, Projection] = {}
    for _ in names:
        late = [p for p in network.projections if _least(p, depth, models) > depth[p.target]]
        if not late:
            reading = network.readout.reading
            return depth if reading is None else depth | {READOUT: depth[reading.population]}
        for projection in late:
            least = _least(projection, depth, models)
            if least > depth[projection.target]:
                depth[projection.target] = least
                slowest[projection.target] = projection
    loop = _loop(late[0], slowest)
    steps, delays = sum(map(models.steps, loop)), sum(p.delay for p in loop)
    path = " -> ".join([*(p.source for p in loop), loop[0].source])
    raise SimulationError(
        f"the loop {path} takes {steps} time steps in Lava, one for every connection, and its "
        f"delays are {delays} in all; give it delays of {steps} or more"
    )


def _least(projection: Projection, depth: dict[str, int], models: Models) -> int:
    """The least depth of the target for which a projection is in time."""
    return depth[projection.source] + models.steps(projection) - projection.delay


def _loop(late: Projection, slowest: dict[str, Projection]) -> list[Projection]:
    """The loop that makes nodes ever later, found from one of them backwards."""
    path, seen = [late], {late.target}
    while path[-1].source not in seen:
        seen.add(path[-1].source)
        path.append(slowest[path[-1].source])
    start = path[-1].source
    first = next(i for i, p in enumerate(path) if p.target == start)
    return path[first:][::-1]
