"""Any engine over any number of samples: batch by batch, the first samples recorded."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from arlif.base.cut import cut
from arlif.core.network import Input
from hw_sim.engines.simulation import Record, Simulation, joined
from hw_sim.engines.work import Progress

BATCH = 64


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
