"""What counted operations cost: models with cited prices behind one protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, require
from arlif.base.plain_data import STRICT
from hw_sim.energy.connections import stored_weights
from hw_sim.energy.counts import LayerCounts, NetworkCounts, ProjectionCounts
from hw_sim.energy.operations import Operation, OperationKind
from hw_sim.energy.prices import Units, memory_access
from hw_sim.energy.traffic import Memory, traffic, weight_bits

INPUT_BITS = 8
"""Width of a graded input value, int8 (arlif.core.nodes.Input)."""

HIGHEST_PJ = 1e12
"""One joule for one operation: what is dearer was given in another unit."""

PerSample = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Bill:
    """Energy of one layer per inference in pJ, [N]; None: not priced, see CostModel.unpriced."""

    synapses: PerSample
    neurons: PerSample | None
    memory: PerSample | None

    @property
    def total(self) -> PerSample:
        """What the model counts, [N]."""
        parts = (self.synapses, self.neurons, self.memory)
        return np.sum([part for part in parts if part is not None], axis=0)


class CostModel(Protocol):
    """Prices for one kind of hardware."""

    @property
    def name(self) -> str:
        """Short name, as on the command line."""

    @property
    def source(self) -> str:
        """Where the prices were published."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was not published and had to be assumed, or is left out."""

    @property
    def unpriced(self) -> str:
        """What it means that a part of a bill is None."""

    def prices(self, neuron: str) -> bool:
        """Whether an update of a neuron has a price, by its title in LayerCounts."""

    def bill(self, layer: LayerCounts) -> Bill:
        """Energy of one layer. Raises ArlifError where a price is unknown."""


@dataclass(frozen=True)
class ArithmeticModel:
    """45 nm arithmetic, unit by unit; with `memory`, every access to SRAM too.

    neurons: updates and the bits set in ORs are priced, not only what the literature prices.
    """

    name: str
    source: str
    assumptions: tuple[str, ...]
    units: Units
    neurons: bool
    memory: bool

    unpriced: ClassVar = "left out"

    def prices(self, neuron: str) -> bool:
        return True

    def bill(self, layer: LayerCounts) -> Bill:
        every = np.ones(layer.spikes.size)
        synapses = sum((self._synapses(layer, p) for p in layer.incoming), start=0 * every)
        if self.neurons:
            synapses = synapses + layer.bits_set * self.units.add(1)
        neurons = sum(n * self.operation(op) for op, n in layer.neuron_operations.items())
        accesses = [
            t.accesses * memory_access(t.bits, t.size_bits)
            for t in traffic(layer)
            if t.memory is not Memory.TABLES
        ]
        return Bill(
            synapses,
            neurons * every if self.neurons else None,
            np.sum(accesses, axis=0) if self.memory else None,
        )

    def operation(self, operation: Operation) -> float:
        """One operation of a neuron update, in pJ; a lookup is a read of the table's memory."""
        if operation.kind is OperationKind.MULTIPLY:
            return self.units.multiply(operation.bits, operation.other)
        if operation.kind is OperationKind.LOOKUP:
            return memory_access(operation.bits, operation.other)
        return self.units.add(operation.bits)

    def _synapses(self, layer: LayerCounts, counts: ProjectionCounts) -> PerSample:
        price = self.units.add(layer.accumulator_bits)
        if counts.graded:
            widest = max(map(weight_bits, stored_weights(counts.projection)))
            price += self.units.multiply(INPUT_BITS, widest)
        return counts.operations * price


@dataclass(frozen=True)
class TableModel:
    """Published prices per synaptic operation and per neuron update, by type of neuron; ORs free.

    accumulate_pj, multiply_accumulate_pj: per synaptic operation. neuron_update_pj: per update, by
    neuron type ("Arlif", ..., "Readout"), above 0. memory_pj_per_bit: by memory; empty where
    the prices above contain it. Raises ArlifError.
    """

    name: str
    source: str
    accumulate_pj: float
    multiply_accumulate_pj: float
    neuron_update_pj: dict[str, float]
    memory_pj_per_bit: dict[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()

    unpriced: ClassVar = "contained in the prices"
    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        for text in (self.name, self.source, *self.assumptions):
            require(
                bool(text.strip()) and text.isprintable(),
                "name, source and assumptions of a cost model are a line of text each, "
                f"not {text!r}",
            )
        prices = [self.accumulate_pj, self.multiply_accumulate_pj, *self.memory_pj_per_bit.values()]
        require(
            all(0 <= price <= HIGHEST_PJ for price in prices),
            f"prices are finite and not negative, at most {HIGHEST_PJ:g} pJ; got {prices}",
        )
        updates = list(self.neuron_update_pj.values())
        require(
            bool(updates) and all(0 < price <= HIGHEST_PJ for price in updates),
            "neuron_update_pj prices at least one neuron type, each above 0 and at most "
            f"{HIGHEST_PJ:g} pJ; got {self.neuron_update_pj}",
        )
        known = {memory.value for memory in Memory}
        require(
            set(self.memory_pj_per_bit) <= known,
            f"memory_pj_per_bit prices {', '.join(sorted(known))}; got "
            f"{', '.join(self.memory_pj_per_bit)}",
        )

    def prices(self, neuron: str) -> bool:
        return neuron in self.neuron_update_pj

    def bill(self, layer: LayerCounts) -> Bill:
        if not self.prices(layer.neuron):
            raise ArlifError(
                f"{self.name} has no price for an update of {layer.neuron} (layer {layer.name}); "
                f"it prices {', '.join(self.neuron_update_pj)}: add one under neuron_update_pj"
            )
        synapses = (
            layer.accumulates * self.accumulate_pj
            + layer.multiply_accumulates * self.multiply_accumulate_pj
        )
        neurons = np.full(synapses.shape, layer.updates * self.neuron_update_pj[layer.neuron])
        if not self.memory_pj_per_bit:
            return Bill(synapses, neurons, None)
        moved = [
            t.accesses * t.bits * self.memory_pj_per_bit.get(t.memory.value, 0.0)
            for t in traffic(layer)
        ]
        return Bill(synapses, neurons, np.sum(moved, axis=0))


def network_energy_uj(counts: NetworkCounts, model: CostModel) -> PerSample:
    """Energy of a whole network per inference in uJ, [N]."""
    return energy_uj([model.bill(layer) for layer in counts.layers])


def energy_uj(bills: Sequence[Bill]) -> PerSample:
    """Energy of these layers together per inference in uJ, [N]."""
    return 1e-6 * np.sum([bill.total for bill in bills], axis=0)
