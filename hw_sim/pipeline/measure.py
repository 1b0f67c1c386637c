"""Simulate, count and price a quantized network: what sweep and cross-check have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from arlif.core.network import QuantizedNetwork
from hw_sim.energy.counter import OperationCounter
from hw_sim.energy.counts import NetworkCounts
from hw_sim.energy.models import CostModel, network_energy_uj
from hw_sim.engines.in_batches import in_batches
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Record, Simulation, raw_inputs


@dataclass(frozen=True)
class Cost:
    """What an inference costs, mean over samples. energy_uj: by cost model."""

    synaptic_operations: float
    energy_uj: dict[str, float]


@dataclass(frozen=True, eq=False)
class Bench:
    """A quantized network before its samples.

    inputs: raw, [N, *shape] (static) or [T, N, *shape]. models: what operations are priced by.
    """

    network: QuantizedNetwork
    inputs: NDArray[np.int8]
    models: tuple[CostModel, ...]

    @classmethod
    def of(cls, network: QuantizedNetwork, real: Tensor, models: Sequence[CostModel]) -> "Bench":
        """On real inputs, time first, [1, N, *shape] (static) or [T, N, *shape]."""
        return cls(network, raw_inputs(network, real), tuple(models))

    @cached_property
    def counter(self) -> OperationCounter:
        """Knows what each event of the network costs."""
        return OperationCounter(self.network)

    def first(self, samples: int) -> NDArray[np.int8]:
        """The raw inputs of the first samples."""
        return self.network.input.part(self.inputs, slice(samples))

    def simulate(self, traced: int = 0) -> Simulation:
        """All samples on the integer engine; spikes and states of the first `traced` are kept."""
        engine, steps = FastEngine(self.network), self.network.time_steps
        source = self.network.input
        return in_batches(
            lambda part, record: engine.simulate(part, steps, record),
            source,
            self.inputs,
            Record.everything(self.network),
            traced,
            lambda done, samples: None,
            batch=max(1, self.inputs.shape[source.sample_axis]),  # the engine bounds its memory
        )

    def count(self, simulation: Simulation) -> NetworkCounts:
        """The operations of a simulation of the first samples, by whatever engine."""
        inputs = self.first(len(simulation.readout))
        return self.counter.count(inputs, simulation, self.network.time_steps)

    def cost(self, simulation: Simulation) -> Cost:
        """The operations of a simulation of the first samples, priced by every model."""
        counts = self.count(simulation)
        return Cost(
            float(counts.synaptic_operations.mean()),
            {model.name: float(network_energy_uj(counts, model).mean()) for model in self.models},
        )
