"""simulate(): a quantized network on Lava, with the same answer as the reference engine."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import SimulationError, require
from arlif.base.scratch import scratch
from arlif.core.equality import fingerprint
from arlif.core.maps import chain_interval
from arlif.core.network import QuantizedNetwork
from export.lava import read_net, write_net
from hw_sim.engines.lava import supervise
from hw_sim.engines.lava.job import Job
from hw_sim.engines.lava.lava_options import TIME_LIMIT_S, LavaOptions, Models
from hw_sim.engines.lava.recorder import read_counts, read_trace
from hw_sim.engines.lava.requirements import require_lava
from hw_sim.engines.lava.shared_memory import fitting_batch, require_room
from hw_sim.engines.simulation import Record, Simulation, check_request, joined, raw_inputs
from hw_sim.engines.work import Outcome, Progress, Work

FAST_BATCH = 32
"""Samples abreast; more gain little and take memory."""


def run(work: Work[LavaOptions]) -> Outcome:
    """The network of a .net file; every sample is recorded where any is."""
    network = read_net(work.path)
    simulation = simulate(
        network,
        raw_inputs(network, work.real),
        work.time_steps,
        Record.everything(network) if work.traced else Record(),
        time_limit_s=work.options.time_limit_s,
        models=work.options.models,
        workers=work.options.workers,
        progress=work.progress,
    )
    return Outcome(simulation, fingerprint(network), network.input.clipped(work.real))


def simulate(
    network: QuantizedNetwork,
    inputs: NDArray[Any],
    time_steps: int,
    record: Record = Record(),
    *,
    batch: int | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    models: Models = Models.FAST,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> Simulation:
    """Run raw inputs, [N, *shape] (static) or [T, N, *shape], on Lava's simulator.

    batch: samples abreast in every message; by default as many as shared memory holds, at most 32,
    with stock models always 1.
    workers: simulations side by side, each on its share of the samples.
    progress: called with (samples done, samples).
    Raises ArlifError on a misfit, SimulationError when Lava is missing, fails or hangs.
    """
    names = [p.name for p in network.populations]
    check_request(network.input, names, inputs, time_steps, record)
    axis = network.input.sample_axis
    samples = inputs.shape[axis]
    require(workers >= 1, f"at least one worker is needed, not {workers}")
    require(time_limit_s > 0, f"the time limit must be positive, not {time_limit_s}")
    shares = np.array_split(inputs.astype(np.int8), min(workers, samples), axis)
    if models is Models.STOCK:
        _require_stock(network)
    require_lava()
    abreast = _batch(network, batch, models, shares[0].shape[axis], len(shares))
    job = Job(time_steps, abreast, models, record)
    with scratch() as root:
        running: dict[Path, supervise.Worker] = {}
        try:
            for index, share in enumerate(shares):
                folder = root / str(index)
                folder.mkdir()
                _prepare(folder, network, share, job)
                running[folder] = supervise.start(folder)
            supervise.watch(running, time_limit_s, lambda done: progress(done, samples))
        finally:
            for worker in running.values():
                supervise.end(worker)
        return joined([_results(folder, network, record) for folder in running])


def _batch(
    network: QuantizedNetwork, asked: int | None, models: Models, samples: int, workers: int
) -> int:
    """Samples abreast: as asked, or as many as shared memory has room for."""
    require(
        asked in (None, 1) or (asked >= 1 and models is Models.FAST),
        f"batch is at least 1, and 1 with stock models, not {asked}",
    )
    largest = 1 if models is Models.STOCK else samples
    if asked is None:
        batch = fitting_batch(network, models, min(FAST_BATCH, largest), workers)
    else:
        batch = min(asked, largest)
    require_room(network, models, batch, workers)
    return batch


def _require_stock(network: QuantizedNetwork) -> None:
    """Lava's own Conv wraps at 24 bits."""
    reading = network.readout.reading
    require(
        reading is None,
        f"the readout is {reading}, and Lava's own neurons send spikes alone; use the fast models",
        SimulationError,
    )
    for projection in network.projections:
        interval = network.source_interval(projection.entering)
        for count in range(len(projection.maps) + 1):
            last = count == len(projection.maps)
            low, high = chain_interval(projection.maps[:count], interval)
            shift = projection.shift if last else 0
            require(
                low << shift >= -(2**23) and high << shift < 2**23,
                f"projection {projection} may reach [{low << shift}, {high << shift}], past the "
                "24 bits at which stock Lava wraps; use the fast models",
                SimulationError,
            )


def _prepare(folder: Path, network: QuantizedNetwork, inputs: NDArray[np.int8], job: Job) -> None:
    write_net(network, folder / job.NETWORK)
    np.save(folder / job.INPUTS, inputs, allow_pickle=False)
    job.write(folder)


def _results(folder: Path, network: QuantizedNetwork, record: Record) -> Simulation:
    folders = {p.name: folder / str(index) for index, p in enumerate(network.populations)}
    return Simulation(
        np.load(folder / Job.READOUT, allow_pickle=False),
        {name: read_counts(where) for name, where in folders.items()}
        | {name: np.load(folder / Job.pooled(name), allow_pickle=False) for name in network.ors},
        {name: read_trace(folders[name]) for name in record.layers},
    )
