"""A simulation's operations and energy as plain data: what the report and the CSV are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import QuantizedNetwork
from hw_sim.energy.catalogue import MODELS, fitting_models
from hw_sim.energy.counter import OperationCounter
from hw_sim.energy.counts import LayerCounts, NetworkCounts
from hw_sim.energy.estimate import Estimate, estimates
from hw_sim.energy.models import Bill, CostModel, energy_uj
from hw_sim.energy.operations import OperationKind
from hw_sim.energy.traffic import traffic_bits
from hw_sim.engines.simulation import Simulation

PARTS = ("synapses", "neurons", "memory")
"""The parts of a bill."""


def energy_report(
    network: QuantizedNetwork,
    inputs: NDArray[Any],
    simulation: Simulation,
    time_steps: int,
    models: Sequence[CostModel] | None = None,
) -> dict[str, Any]:
    """Operations and energy of a simulation, per inference, ready for JSON.

    inputs: the raw inputs that were simulated. models: by default every built-in one that
    prices all neurons of the network; `left_out` names the others. Energies are in uJ, over
    samples and part by part; shares are of the network's mean under the same model. by_step:
    what arrives at each layer step by step, mean of the samples whose spikes were recorded;
    None where some layer's were not. Raises ArlifError where a cost is unknown.
    """
    counter = OperationCounter(network)
    counts = counter.count(inputs, simulation, time_steps)
    left_out = []
    if models is None:
        models = fitting_models(network)
        left_out = [name for name in MODELS if name not in [m.name for m in models]]
    bills = {m.name: [m.bill(layer) for layer in counts.layers] for m in models}
    total = {name: _energy_uj(bill) for name, bill in bills.items()}
    layers = []
    for index, layer in enumerate(counts.layers):
        energy = {}
        for name, bill in bills.items():
            uj, whole = _energy_uj(bill[index : index + 1]), total[name]["mean"]
            energy[name] = uj | {"share": uj["mean"] / whole if whole else 0.0}
        layers.append({**_operations(layer), "energy_uj": energy})
    names = {p.name for p in network.populations}
    traced = bool(names) and names <= set(simulation.traces)
    return {
        "samples": counts.samples,
        "time_steps": time_steps,
        "layers": layers,
        "total": {**_totals(counts), "energy_uj": total},
        "by_step": _by_step(counter.count_steps(inputs, simulation), models) if traced else None,
        "estimates": [_estimate(e) for e in estimates(counts)],
        "models": {
            m.name: {
                "source": m.source,
                "assumptions": list(m.assumptions),
                "unpriced": m.unpriced,
            }
            for m in models
        },
        "left_out": left_out,
    }


def layer_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One flat row per layer and one of all, for a CSV file; the last lacks what layers have."""
    return [_flat(row) for row in (*report["layers"], {"layer": "total", **report["total"]})]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings as one, the names on the way to a value joined by spaces."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        inner = _flat(value) if isinstance(value, Mapping) else {"": value}
        row |= {f"{name} {key}".strip(): leaf for key, leaf in inner.items()}
    return row


def _operations(layer: LayerCounts) -> dict[str, Any]:
    return {
        "layer": layer.name,
        "neuron": layer.neuron,
        "neurons": layer.neurons,
        "rate": None if layer.is_readout else layer.rate,
        "synaptic_operations": _spread(layer.synaptic_operations),
        "synaptic_operations_per_step": float(layer.synaptic_operations.mean() / layer.time_steps),
        "accumulates": float(layer.accumulates.mean()),
        "multiply_accumulates": float(layer.multiply_accumulates.mean()),
        "bits_set": float(layer.bits_set.mean()),
        "updates": layer.updates,
        "operations_per_update": {kind.value: layer.update.number(kind) for kind in OperationKind},
        "memory_bits": {memory.value: bits for memory, bits in traffic_bits(layer).items()},
    }


def _totals(counts: NetworkCounts) -> dict[str, Any]:
    operations = counts.synaptic_operations
    return {
        "synaptic_operations": _spread(operations),
        "synaptic_operations_per_step": float(operations.mean() / counts.time_steps),
        "accumulates": float(counts.accumulates.mean()),
        "multiply_accumulates": float(counts.multiply_accumulates.mean()),
        "updates": counts.updates,
    }


def _energy_uj(bills: Sequence[Bill]) -> dict[str, Any]:
    """Energy of these layers together in uJ, over samples, and the mean of every part.

    A part that the model leaves out is None.
    """
    parts = {part: [getattr(bill, part) for bill in bills] for part in PARTS}
    return _spread(energy_uj(bills)) | {
        part: None if values[0] is None else 1e-6 * float(np.sum(values, axis=0).mean())
        for part, values in parts.items()
    }


def _by_step(steps: Sequence[NetworkCounts], models: Sequence[CostModel]) -> dict[str, Any]:
    """Operations by layer and energy by model and layer, a list over time steps each."""
    layers = list(zip(*(step.layers for step in steps), strict=True))
    return {
        "samples": steps[0].samples,
        "synaptic_operations": {
            layer[0].name: [float(step.synaptic_operations.mean()) for step in layer]
            for layer in layers
        },
        "energy_uj": {
            model.name: {
                layer[0].name: [1e-6 * float(model.bill(step).total.mean()) for step in layer]
                for layer in layers
            }
            for model in models
        },
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    names = ("estimate", "padding", "border", "error")
    return asdict(estimate) | {name: getattr(estimate, name) for name in names}


def _spread(values: NDArray[Any]) -> dict[str, float]:
    """Over samples."""
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
    }
