"""Plots of a run as inline SVG. Matplotlib's object interface only: no global state."""

import io
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from hw_sim.energy.figures import grouped_bars
from hw_sim.simulation import Simulation

RASTER_NEURONS = 64
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "arlif", "font.size": 9, "axes.grid": False}


def svg(figure: Figure) -> str:
    """The figure as an SVG element, the same bytes for the same figure."""
    text = io.StringIO()
    with rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
    content = text.getvalue()
    return content[content.index("<svg") :]


def spike_rates(rates: dict[str, dict[str, float]]) -> Figure:
    """Bars of the spike rate per layer, for every engine."""
    layers = list(next(iter(rates.values())))
    percent = {engine: [100 * rate[la] for la in layers] for engine, rate in rates.items()}
    return grouped_bars(layers, percent, "spike rate (% per step)")


def raster(simulations: dict[str, Simulation], sample: int) -> Figure:
    """Spikes of one sample, per layer (rows) and engine (columns); at most 64 neurons a layer."""
    layers = list(next(iter(simulations.values())).traces)
    figure = Figure(figsize=(4 * len(simulations), 1.6 * len(layers)), layout="constrained")
    grid = figure.subplots(len(layers), len(simulations), squeeze=False, sharex=True)
    for column, (engine, simulation) in enumerate(simulations.items()):
        for row, layer in enumerate(layers):
            spikes = simulation.traces[layer].spikes[:, sample]
            steps, neurons = np.nonzero(spikes.reshape(len(spikes), -1)[:, :RASTER_NEURONS])
            axes = grid[row, column]
            axes.scatter(steps + 1, neurons, s=6, marker="|", color="black")
            axes.set_xlim(0.5, len(spikes) + 0.5)
            axes.set_xticks(range(1, len(spikes) + 1))
            axes.set_ylabel(layer if column == 0 else "")
            if row == 0:
                axes.set_title(engine)
        grid[-1, column].set_xlabel("time step")
    return figure


def membrane(
    floating: Simulation, fixed: Simulation, scales: dict[str, float], sample: int
) -> Figure:
    """Membrane potential of each layer's most active neuron, float against fixed point."""
    layers = [layer for layer in fixed.traces if layer in floating.traces]
    figure = Figure(figsize=(8, 1.8 * len(layers)), layout="constrained")
    grid = figure.subplots(len(layers), 1, squeeze=False, sharex=True)
    for axes, layer in zip(grid[:, 0], layers, strict=True):
        a, b = floating.traces[layer], fixed.traces[layer]
        spikes = b.spikes[:, sample].reshape(len(b.spikes), -1)
        neuron = int(spikes.sum(0).argmax())
        steps = np.arange(1, len(spikes) + 1)
        axes.plot(steps, _neuron(a.states["u"], sample, neuron), "o-", label="float")
        fixed_u = _neuron(b.states["u"], sample, neuron) * scales[layer]
        axes.plot(steps, fixed_u, "x--", label="fixed point")
        axes.set_ylabel(f"u, {layer}\nneuron {neuron}")
        axes.set_xticks(steps)
    grid[0, 0].legend(frameon=False)
    grid[-1, 0].set_xlabel("time step")
    return figure


def _neuron(states: Any, sample: int, neuron: int) -> Any:
    return states[:, sample].reshape(len(states), -1)[:, neuron]
