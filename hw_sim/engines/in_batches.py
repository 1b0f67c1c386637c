"""Any engine over any number of samples: batch by batch, the first samples recorded."""

from collections.abc import Callable
from typing import Any, Protocol

from numpy.typing import NDArray

from arlif.base.cut import cut
from arlif.core.network import Input
from hw_sim.engines.simulation import Record, Simulation, TakesInput, joined, raw_inputs
from hw_sim.engines.work import Progress, Work

BATCH = 64


class Simulates(TakesInput, Protocol):
    """What runs raw inputs: a network made ready, or a program."""

    def simulate(self, inputs: NDArray[Any], time_steps: int, record: Record, /) -> Simulation:
        """Run raw inputs."""


def over_work(engine: Simulates, work: Work[Any], record: Record, batch: int = BATCH) -> Simulation:
    """Run the test inputs of some work. record: what to keep of the samples to trace."""
    return in_batches(
        lambda part, kept: engine.simulate(part, work.time_steps, kept),
        engine.input,
        raw_inputs(engine, work.real),
        record,
        work.traced,
        work.progress,
        batch,
    )


def in_batches(
    engine: Callable[[NDArray[Any], Record], Simulation],
    source: Input,
    inputs: NDArray[Any],
    record: Record,
    traced: int,
    progress: Progress,
    batch: int = BATCH,
) -> Simulation:
    """Run raw inputs of `source`, `batch` samples at a time.

    record: what to keep of the first `traced` samples; of the others, readout and counts.
    progress: called with (samples done, samples) after each batch.
    """
    total = inputs.shape[source.sample_axis]
    first = min(traced, total)
    simulations = []
    for part in (*cut(first, batch), *cut(total, batch, start=first)):
        kept = record if part.start < first else Record()
        simulations.append(engine(source.part(inputs, part), kept))
        progress(part.stop, total)
    return joined(simulations)
