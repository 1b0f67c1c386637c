"""The shared memory that a simulation's channels take, to the page: full, it kills processes."""

import shutil
from math import ceil, prod
from mmap import PAGESIZE
from pathlib import Path

from arlif.base.errors import SimulationError, require
from arlif.core.maps import Shape, chain_shapes
from arlif.core.network import Projection, QuantizedNetwork
from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.lava.stream import depths

SHARED_MEMORY = Path("/dev/shm")
SLOTS = 2
"""Messages that a channel holds. Lava's default of 64 takes 32 times the shared memory."""
SEMAPHORES = 2
"""A page each, beside the messages of a channel."""
PROCESS_PAGES = 9
"""What a process takes: a small channel from Lava's runtime, one to it, three semaphores."""


def needed(network: QuantizedNetwork, models: Models, batch: int) -> int:
    """Bytes of shared memory that one simulation takes."""
    depth = depths(network, models)
    processes, sent = len(network.populations) + 3, []  # input, readout, Lava's runtime service
    for projection in network.projections:
        delay = depth[projection.target] - depth[projection.source]
        shape = network.shape(projection.entering)
        stages = _stages(projection, shape, models, delay)
        processes += len(stages)
        sent += [prod(shape), *(4 * prod(stage) for stage in stages)]
    for pooled in network.ors.values():
        processes += 1
        sent.append(prod(network.shape(pooled.source)))
    return taken([batch * size for size in sent], processes)


def fitting_batch(network: QuantizedNetwork, models: Models, most: int, workers: int) -> int:
    """The most samples abreast, up to `most`, that `workers` simulations have memory for, or 1."""
    room = free() // workers
    return next((n for n in range(most, 1, -1) if needed(network, models, n) <= room), 1)


def require_room(network: QuantizedNetwork, models: Models, batch: int, workers: int) -> None:
    """Raise SimulationError where the free shared memory will not do."""
    need, room = needed(network, models, batch) * workers, free()
    require(
        need <= room,
        f"Lava needs {need / 2**20:.1f} MiB of {SHARED_MEMORY} for {workers} x {batch} samples "
        f"abreast, {room / 2**20:.1f} MiB are free; take a smaller batch or fewer workers, or "
        "enlarge it (docker run --shm-size)",
        SimulationError,
    )


def require_free(need: int) -> None:
    """Raise SimulationError where less than `need` bytes are free."""
    room = free()
    require(
        need <= room,
        f"Lava needs {need / 2**20:.1f} MiB of {SHARED_MEMORY}, {room / 2**20:.1f} MiB are free; "
        "enlarge it (docker run --shm-size)",
        SimulationError,
    )


def taken(messages: list[int], processes: int) -> int:
    """Bytes of shared memory that channels for messages of so many bytes take, and processes."""
    pages = sum(SEMAPHORES + ceil(SLOTS * size / PAGESIZE) for size in messages)
    return PAGESIZE * (pages + PROCESS_PAGES * processes)


def free() -> int:
    """Bytes of shared memory that are free."""
    return shutil.disk_usage(SHARED_MEMORY).free


def _stages(projection: Projection, shape: Shape, models: Models, delay: int) -> list[Shape]:
    """What each process of a projection sends; stock models are one per map or step of delay."""
    shapes = chain_shapes(projection.maps, shape)
    if models is Models.FAST:
        return shapes[-1:]
    return shapes[1:] + shapes[-1:] * (delay - len(projection.maps))
