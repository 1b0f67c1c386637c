"""Accuracy and spike counts of a quantized network over a stream of batches."""

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from joblib import delayed
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.base.side_by_side import in_parallel
from arlif.base.workers import leave_with
from arlif.core.network import QuantizedNetwork
from hw_sim.engines.integer.fast import FastEngine

Batch = tuple[NDArray[Any], NDArray[Any]]
"""Raw inputs, [N, *shape] (static) or [T, N, *shape], and labels [N]."""


@dataclass(frozen=True)
class Tally:
    """What a network answered to some samples.

    spikes: by population, summed over samples, time steps and neurons.
    """

    samples: int
    correct: int
    spikes: dict[str, int]

    @property
    def accuracy(self) -> float:
        """Share of samples decided as labelled, 0 to 1."""
        return self.correct / self.samples

    def __add__(self, other: "Tally") -> "Tally":
        spikes = {name: self.spikes.get(name, 0) + n for name, n in other.spikes.items()}
        return Tally(self.samples + other.samples, self.correct + other.correct, spikes)


def evaluate(
    network: QuantizedNetwork,
    batches: Iterable[Batch],
    time_steps: int,
    device: str = "cpu",
    jobs: int = 1,
    progress: Callable[[int], None] = lambda samples: None,
) -> Tally:
    """Run all batches through the fast engine; memory does not grow with their number.

    jobs: processes, started through joblib: its default backend is loky; under
    joblib.parallel_config("dask") the same call runs on that cluster, see arlif.base.side_by_side.
    progress: called with the number of samples done. Raises ArlifError on a misfit.
    """
    total = Tally(0, 0, {})
    for part in _parts(network, batches, time_steps, device, jobs):
        total += part
        progress(total.samples)
    require(total.samples > 0, "there are no samples to evaluate; give at least one batch")
    return total


def _parts(
    network: QuantizedNetwork, batches: Iterable[Batch], time_steps: int, device: str, jobs: int
) -> Iterator[Tally]:
    if jobs == 1:
        engine = FastEngine(network, device)
        return (_tally(engine, batch, time_steps) for batch in batches)
    # An array, because joblib maps it into memory, and Dask sends it to its workers, only once.
    pickled = np.frombuffer(pickle.dumps(network), np.uint8)
    return in_parallel(
        (delayed(_remote)(pickled, *batch, time_steps, device, os.getpid()) for batch in batches),
        jobs,
    )


def _remote(
    pickled: NDArray[np.uint8],
    inputs: NDArray[Any],
    labels: NDArray[Any],
    time_steps: int,
    device: str,
    caller: int,
) -> Tally:
    leave_with(caller)
    return _tally(_engine(pickled.tobytes(), device), (inputs, labels), time_steps)


@lru_cache(maxsize=1)
def _engine(pickled: bytes, device: str) -> FastEngine:
    """The engine that this process keeps from batch to batch."""
    return FastEngine(pickle.loads(pickled), device)


def _tally(engine: FastEngine, batch: Batch, time_steps: int) -> Tally:
    inputs, labels = batch
    simulation = engine.simulate(inputs, time_steps)
    return Tally(
        len(labels),
        simulation.correct(labels),
        {name: int(counts.sum(dtype=np.int64)) for name, counts in simulation.spikes.items()},
    )
