"""A simulation's operations and energy as plain data: what the report and the CSV are made of."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import QuantizedNetwork
from hw_sim.energy.catalogue import MODELS
from hw_sim.energy.counter import count
from hw_sim.energy.counts import LayerCounts, NetworkCounts
from hw_sim.energy.estimate import Estimate, estimates
from hw_sim.energy.models import Bill, CostModel
from hw_sim.energy.operations import Kind
from hw_sim.energy.over_time import operations_over_time
from hw_sim.energy.traffic import traffic_bits
from hw_sim.simulation import Simulation

PARTS = ("synapses", "neurons", "memory", "total")
"""The parts of a bill."""


def energy_report(
    network: QuantizedNetwork,
    inputs: NDArray[Any],
    simulation: Simulation,
    time_steps: int,
    models: Sequence[CostModel] = tuple(MODELS.values()),
) -> dict[str, Any]:
    """Operations and energy of a simulation, per inference, ready for JSON.

    inputs: the raw inputs that were simulated. Energies are in uJ; shares are of the network's
    total under the same model. by_step: synaptic operations at each layer step by step, mean of the
    samples whose spikes were recorded; None where some layer's were not. Raises ArlifError where a
    cost is unknown.
    """
    counts = count(network, inputs, simulation, time_steps)
    bills = {m.name: [m.bill(layer) for layer in counts.layers] for m in models}
    totals = {name: np.sum([b.total for b in bill], axis=0) for name, bill in bills.items()}
    layers = []
    for index, layer in enumerate(counts.layers):
        energy = {}
        for name, bill in bills.items():
            total = float(totals[name].mean())
            share = float(bill[index].total.mean()) / total if total else 0.0
            energy[name] = _parts_uj(bill[index : index + 1]) | {"share": share}
        layers.append({**_operations(layer), "energy_uj": energy})
    return {
        "samples": counts.samples,
        "time_steps": time_steps,
        "layers": layers,
        "total": {
            **_totals(counts),
            "energy_uj": {
                name: _spread(totals[name] * 1e-6) | _parts_uj(bill) for name, bill in bills.items()
            },
        },
        "by_step": _by_step(network, inputs, simulation),
        "estimates": [_estimate(e) for e in estimates(counts)],
        "models": {
            m.name: {
                "source": m.source,
                "assumptions": list(m.assumptions),
                "unpriced": m.unpriced,
            }
            for m in models
        },
    }


def layer_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One flat row per layer, for a CSV file."""
    rows = []
    for layer in report["layers"]:
        row = {key: value for key, value in layer.items() if not isinstance(value, dict)}
        for group, values in layer.items():
            if group == "energy_uj":
                row |= {f"{model} uJ": parts["total"] for model, parts in values.items()}
            elif isinstance(values, dict):
                row |= {f"{group} {name}": value for name, value in values.items()}
        rows.append(row)
    return rows


def _operations(layer: LayerCounts) -> dict[str, Any]:
    return {
        "layer": layer.name,
        "neuron": layer.neuron,
        "neurons": layer.neurons,
        "rate": layer.rate,
        "synaptic_operations": _spread(layer.synaptic_operations),
        "synaptic_operations_per_step": float(layer.synaptic_operations.mean() / layer.time_steps),
        "accumulates": float(layer.accumulates.mean()),
        "multiply_accumulates": float(layer.multiply_accumulates.mean()),
        "updates": layer.updates,
        "operations_per_update": {kind.value: layer.update.number(kind) for kind in Kind},
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


def _parts_uj(bills: Sequence[Bill]) -> dict[str, float | None]:
    """Mean energy of these layers in uJ, part by part; None: the model leaves the part out."""
    parts = {part: [getattr(bill, part) for bill in bills] for part in PARTS}
    return {
        part: None if values[0] is None else float(np.sum(values, axis=0).mean()) * 1e-6
        for part, values in parts.items()
    }


def _by_step(
    network: QuantizedNetwork, inputs: NDArray[Any], simulation: Simulation
) -> dict[str, list[float]] | None:
    if any(p.name not in simulation.traces for p in network.populations):
        return None
    arriving = operations_over_time(network, inputs, simulation)
    return {name: operations.mean(1).tolist() for name, operations in arriving.items()}


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
