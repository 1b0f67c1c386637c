"""Any engine over any number of samples: batch by batch, the first samples recorded."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from hw_sim.engines.simulation import Record, Simulation, joined

BATCH = 64


def in_batches(
    engine: Callable[[NDArray[Any], Record], Simulation],
    inputs: NDArray[Any],
    static: bool,
    record: Record,
    traced: int,
    progress: Callable[[int, int], None],
    batch: int = BATCH,
) -> Simulation:
    """Run raw inputs, [N, *shape] (static) or [T, N, *shape], `batch` samples at a time.

    record: what to keep of the first `traced` samples; of the others, readout and counts.
    progress: called with (samples done, samples) after each batch.
    """
    total = inputs.shape[0] if static else inputs.shape[1]
    starts = [*range(0, traced, batch), *range(traced, total, batch), total]
    parts = []
    for start, stop in pairwise(starts):
        part = inputs[start:stop] if static else inputs[:, start:stop]
        parts.append(engine(part, record if start < traced else Record()))
        progress(stop, total)
    return joined(parts)
