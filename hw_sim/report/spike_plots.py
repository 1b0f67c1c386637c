"""Plots of spikes and membrane potentials. Matplotlib's object interface: no global state."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hw_sim.engines.simulation import Simulation, Trace
from hw_sim.report.energy_plots import grouped_bars

RASTER_NEURONS = 64


def spike_rates(engines: Sequence[dict[str, Any]]) -> Figure:
    """Bars of the spike rate per layer, for every engine and the samples it saw."""
    layers = list(engines[0]["spike_rate"])
    percent = {
        f"{row['engine']} ({row['samples']} samples)": [
            100 * row["spike_rate"][la] for la in layers
        ]
        for row in engines
    }
    return grouped_bars(layers, percent, "spike rate (% per step)")


def raster_values(simulations: dict[str, Simulation], sample: int) -> dict[str, dict[str, Any]]:
    """Spikes of one sample by engine and layer: a text of 0 and 1 per step, at most 64 neurons."""
    return {
        engine: {
            layer: ["".join("01"[int(spike)] for spike in step) for step in _first(trace, sample)]
            for layer, trace in simulation.traces.items()
        }
        for engine, simulation in simulations.items()
    }


def raster(values: dict[str, dict[str, Any]]) -> Figure:
    """Spikes of one sample, per layer (rows) and engine (columns); values: raster_values."""
    layers = list(next(iter(values.values())))
    figure = Figure(figsize=(4 * len(values), 1.6 * len(layers)), layout="constrained")
    grid = figure.subplots(len(layers), len(values), squeeze=False, sharex=True)
    for column, (engine, by_layer) in enumerate(values.items()):
        for row, layer in enumerate(layers):
            spikes = np.array([list(step) for step in by_layer[layer]]) == "1"
            steps, neurons = np.nonzero(spikes)
            axes = grid[row, column]
            axes.scatter(steps + 1, neurons, s=6, marker="|", color="black")
            axes.set_xlim(0.5, len(spikes) + 0.5)
            axes.set_xticks(range(1, len(spikes) + 1))
            axes.set_ylabel(layer if column == 0 else "")
            if row == 0:
                axes.set_title(engine)
        grid[-1, column].set_xlabel("time step")
    return figure


def membrane_values(
    floating: Simulation, fixed: Simulation, scales: dict[str, float], sample: int
) -> dict[str, dict[str, Any]]:
    """Membrane potential over time of each layer's most active neuron: its number, both curves."""
    values = {}
    for layer in (name for name in fixed.traces if name in floating.traces):
        a, b = floating.traces[layer], fixed.traces[layer]
        neuron = int(b.spikes[:, sample].reshape(len(b.spikes), -1).sum(0).argmax())
        fixed_u = _neuron(b.states["u"], sample, neuron) * scales[layer]
        values[layer] = {
            "neuron": neuron,
            "float": _neuron(a.states["u"], sample, neuron).tolist(),
            "fixed point": fixed_u.tolist(),
        }
    return values


def membrane(values: dict[str, dict[str, Any]]) -> Figure:
    """Membrane potentials, float against fixed point, a row per layer; values: membrane_values."""
    figure = Figure(figsize=(8, 1.8 * len(values)), layout="constrained")
    grid = figure.subplots(len(values), 1, squeeze=False, sharex=True)
    for axes, (layer, curves) in zip(grid[:, 0], values.items(), strict=True):
        steps = range(1, len(curves["float"]) + 1)
        for name, style in (("float", "o-"), ("fixed point", "x--")):
            axes.plot(steps, curves[name], style, label=name)
        axes.set_ylabel(f"u, {layer}\nneuron {curves['neuron']}")
        axes.set_xticks(steps)
    grid[0, 0].legend(frameon=False)
    grid[-1, 0].set_xlabel("time step")
    return figure


def _first(trace: Trace, sample: int) -> Any:
    spikes = trace.spikes[:, sample]
    return spikes.reshape(len(spikes), -1)[:, :RASTER_NEURONS]


def _neuron(states: Any, sample: int, neuron: int) -> Any:
    return states[:, sample].reshape(len(states), -1)[:, neuron]
