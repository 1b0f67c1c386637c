"""Plots of spikes and membrane potentials. Matplotlib's object interface: no global state."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from arlif.training.plots import at_least
from hw_sim.engines.simulation import Simulation, Trace
from hw_sim.engines.table import ENGINES, INTEGER
from hw_sim.report.energy_plots import grouped_bars

RASTER_NEURONS = 64
LEAST_POTENTIAL = 0.5
"""What the axis of a membrane potential shows at least; thresholds are about 1."""


def spike_rates(engines: Sequence[dict[str, Any]]) -> Figure:
    """Bars of the spike rate per layer, by engine; of exact ones only of the integer engine."""
    names = {row["engine"] for row in engines}
    engines = [
        row
        for row in engines
        if INTEGER.name not in names
        or not ENGINES[row["engine"]].exact
        or row["engine"] == INTEGER.name
    ]
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


def raster_neurons(
    simulations: dict[str, Simulation], values: dict[str, dict[str, Any]]
) -> dict[str, dict[str, int]]:
    """By layer: how many of how many neurons are shown, and spikes of theirs that engines change.

    values: raster_values of the simulations, whose first engine the others are compared with.
    """
    first, *others = values.values() if values else ({},)
    found = {}
    for layer, steps in first.items():
        trace = next(iter(simulations.values())).traces[layer]
        changed = [_changed(steps, other[layer]).sum() for other in others if layer in other]
        found[layer] = {
            "shown": len(steps[0]),
            "neurons": int(np.prod(trace.spikes.shape[2:])),
            "different": int(sum(changed)),
        }
    return found


def raster(values: dict[str, dict[str, Any]], neurons: dict[str, dict[str, int]]) -> Figure:
    """Spikes of one sample, a row for each layer: of the first engine, and of those that differ.

    Where another engine differs from the first, its spike or its silence is marked red. values,
    neurons: raster_values and raster_neurons.
    """
    first, *others = values
    layers = list(values[first])
    same = [
        name
        for name in others
        if not any(_changed(values[first][la], values[name].get(la)).any() for la in layers)
    ]
    shown = [first, *(name for name in others if name not in same)]
    figure = Figure((2 + 4 * len(shown), 0.6 + 1.6 * len(layers)), layout="constrained")
    grid = figure.subplots(len(layers), len(shown), squeeze=False, sharex=True)
    for column, engine in enumerate(shown):
        for row, layer in enumerate(layers):
            axes = grid[row, column]
            spikes = _bits(values[engine].get(layer, values[first][layer]))
            wrong = _changed(values[first][layer], values[engine].get(layer))
            for marked, colour, marker in ((spikes & ~wrong, "black", "|"), (wrong, "red", "x")):
                steps, places = np.nonzero(marked)
                axes.scatter(steps + 1, places, s=12, marker=marker, color=colour)
            axes.set_xlim(0.5, len(spikes) + 0.5)
            axes.set_ylim(-1, spikes.shape[1])
            axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
            if column == 0:
                about = neurons[layer]
                axes.set_ylabel(f"{layer}\n{about['shown']:,} of {about['neurons']:,} neurons")
        grid[0, column].set_title(engine)
        grid[-1, column].set_xlabel("time step")
    if same:
        figure.supxlabel(f"the same spikes: {', '.join(same)}", fontsize=9)
    return figure


def _bits(steps: Sequence[str]) -> Any:
    return np.array([list(step) for step in steps]) == "1"


def _changed(want: Sequence[str], got: Sequence[str] | None) -> Any:
    """Which of the shown spikes another engine changes; none where it did not record them."""
    bits = _bits(want)
    return np.zeros_like(bits) if got is None else bits != _bits(got)


def membrane_values(
    floating: Simulation, fixed: Simulation, scales: dict[str, float], sample: int
) -> dict[str, dict[str, Any]]:
    """Membrane potential over time of each layer's most active neuron: its number, both curves.

    Of layers that have one, as a neuron of the user's own need not.
    """
    values = {}
    for layer in (name for name in fixed.traces if name in floating.traces):
        a, b = floating.traces[layer], fixed.traces[layer]
        if not ("u" in a.states and "u" in b.states and layer in scales):
            continue
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
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        at_least(axes, LEAST_POTENTIAL)
    grid[0, 0].legend(frameon=False)
    grid[-1, 0].set_xlabel("time step")
    return figure


def _first(trace: Trace, sample: int) -> Any:
    spikes = trace.spikes[:, sample]
    return spikes.reshape(len(spikes), -1)[:, :RASTER_NEURONS]


def _neuron(states: Any, sample: int, neuron: int) -> Any:
    return states[:, sample].reshape(len(states), -1)[:, neuron]
