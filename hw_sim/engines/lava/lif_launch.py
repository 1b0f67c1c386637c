"""simulate_lif(): lif.nir on Lava's own LIF, Dense and Conv, in floating point."""

import shutil
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.scratch import scratch
from hw_sim.engines.lava import supervise
from hw_sim.engines.lava.lava_options import TIME_LIMIT_S
from hw_sim.engines.lava.lif_files import LifFiles
from hw_sim.engines.lava.plain_graph import PlainNetwork, read_plain
from hw_sim.engines.lava.requirements import require_lava
from hw_sim.engines.lava.shared_memory import require_free, taken
from hw_sim.engines.simulation import Simulation, Trace
from hw_sim.engines.work import Progress

WORKER = "hw_sim.engines.lava.lif_worker"
FLOAT = 8
"""Bytes of a number in the messages of these models."""


def simulate_lif(
    path: Path,
    real: NDArray[Any],
    time_steps: int,
    traced: int,
    *,
    time_limit_s: float = TIME_LIMIT_S,
    progress: Progress = lambda done, total: None,
) -> Simulation:
    """Run real inputs, [1, N, *shape] or [T, N, *shape], one sample after another.

    traced: how many of the first samples to record. Readouts are float64, counts and traces in the
    shapes of the file. Raises LoweringError where the file holds what Lava's own processes cannot
    do, SimulationError where Lava is missing, fails or takes too long.
    """
    network = read_plain(path)
    require_lava()
    require_free(memory(network))
    samples = real.shape[1]
    with scratch() as folder:
        files = LifFiles(folder)
        shutil.copyfile(path, files.network)
        np.save(files.inputs, real, allow_pickle=False)
        files.make(network.layers, samples, traced, time_steps)
        worker = supervise.start(folder, WORKER)
        try:
            supervise.watch({folder: worker}, time_limit_s, lambda done: progress(done, samples))
        finally:
            supervise.end(worker)
        named = list(enumerate(layer.name for layer in network.layers))
        last, _ = named.pop()
        bias = time_steps * network.layers[last].bias
        readout: Any = (files.total(last) + bias).reshape(samples, -1)
        return Simulation(
            readout,
            {name: np.array(files.total(index)) for index, name in named},
            {name: Trace(np.array(files.steps(index))) for index, name in named if traced},
        )


def memory(network: PlainNetwork) -> int:
    """Bytes of shared memory that a simulation takes."""
    layers, links = network.layers, network.links
    sent = [prod(link.shape) for link in links]
    sent += [prod(layer.shape) for layer in layers for _ in layer.chains]
    sent += [prod(layer.shape) for layer in layers if layer.fires]  # to what records it
    processes = len(links) + 2 * len(layers) + 1  # with the source, and Lava's runtime service
    return taken([FLOAT * size for size in sent], processes)
