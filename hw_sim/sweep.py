"""Accuracy and energy over bit widths and time steps, point by point in parallel."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from torch import Tensor

from arlif.core.network import Input
from arlif.core.neurons import PRESETS, Numbers
from arlif.errors import require
from arlif.quantize import Precision, quantize
from arlif.quantize.linearized import LinearizedNetwork
from hw_sim.energy.catalogue import MODELS
from hw_sim.energy.counter import count
from hw_sim.energy.models import CostModel, network_energy_uj
from hw_sim.engine.fast import simulate
from hw_sim.simulation import raw_inputs


@dataclass(frozen=True)
class SweepRow:
    """One point: what was chosen, and what it gives and costs per inference.

    accuracy: 0 to 1. energy_uj: by model.
    """

    weight_bits: int
    time_steps: int
    accuracy: float
    synaptic_operations: float
    energy_uj: dict[str, float]


def sweep(
    network: LinearizedNetwork,
    source: Input,
    real: Tensor,
    labels: NDArray[np.int64],
    weight_bits: Sequence[int] = (2, 3, 4, 6, 8),
    time_steps: Sequence[int] = (1, 2, 4),
    numbers: Numbers = PRESETS["compact16"],
    models: Sequence[CostModel] = tuple(MODELS.values()),
    jobs: int = 1,
) -> list[SweepRow]:
    """Quantize and simulate at every combination, in the order given, bit widths outermost.

    real: [1, N, *shape] (static) or [T, N, *shape]; recordings are simulated over their first
    steps. jobs: processes side by side. Raises ArlifError where a recording is too short.
    """
    require(len(labels) >= 1, "a sweep needs at least one sample")
    require(
        network.static or max(time_steps) <= len(real),
        f"recordings of {len(real)} frames cannot be simulated for {max(time_steps)} time steps",
    )
    points = product(weight_bits, time_steps)
    precisions = [(Precision(numbers, bits), steps) for bits, steps in points]
    return Parallel(n_jobs=jobs)(
        delayed(_point)(network, source, real, labels, precision, steps, tuple(models))
        for precision, steps in precisions
    )


def cheapest(rows: Sequence[SweepRow], accuracy: float, model: str) -> SweepRow | None:
    """The point of least energy that reaches an accuracy; None where none does.

    Taken for several networks at one accuracy, it compares neurons at equal accuracy.
    """
    enough = [row for row in rows if row.accuracy >= accuracy]
    return min(enough, key=lambda row: row.energy_uj[model], default=None)


def front(rows: Sequence[SweepRow], model: str) -> list[SweepRow]:
    """The points that no other one beats: in the order of energy, accuracy rises from each."""
    best: list[SweepRow] = []
    for row in sorted(rows, key=lambda row: (row.energy_uj[model], -row.accuracy)):
        if not best or row.accuracy > best[-1].accuracy:
            best.append(row)
    return best


def _point(
    network: LinearizedNetwork,
    source: Input,
    real: Tensor,
    labels: NDArray[np.int64],
    precision: Precision,
    time_steps: int,
    models: tuple[CostModel, ...],
) -> SweepRow:
    quantized = quantize(network, source, precision, time_steps)
    inputs = raw_inputs(quantized, real if network.static else real[:time_steps])
    simulation = simulate(quantized, inputs, time_steps)
    counts = count(quantized, inputs, simulation, time_steps)
    return SweepRow(
        precision.weight_bits,
        time_steps,
        float((simulation.decisions == labels).mean()),
        float(counts.synaptic_operations.mean()),
        {model.name: float(network_energy_uj(counts, model).mean()) for model in models},
    )
