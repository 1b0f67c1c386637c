"""Plots of an energy report and of sweeps. Matplotlib's object interface: no global state."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hw_sim.sweep import SweepRow, front

WIDTH = 8.0
MARKERS = "os^Dv<>PX"


def energy_figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Figures by title: bars per layer, estimates against counts, and parts of the energy."""
    return {
        "operations and energy per layer": _layers(report),
        "estimated and counted synaptic operations": _estimates(report["estimates"]),
        "where the energy goes": _parts(report["total"]["energy_uj"]),
    }


def sweep_figure(rows: Sequence[SweepRow], model: str) -> Figure:
    """Accuracy over energy: a line per bit width, a marker per number of time steps."""
    figure, (axes,) = _stacked(1, 3.2)
    markers = dict(zip(sorted({row.time_steps for row in rows}), cycle(MARKERS), strict=False))
    for bits in sorted({row.weight_bits for row in rows}):
        line = sorted((r for r in rows if r.weight_bits == bits), key=lambda r: r.energy_uj[model])
        points = [(row.energy_uj[model], 100 * row.accuracy) for row in line]
        (drawn,) = axes.plot(*zip(*points, strict=True), label=f"{bits} bits")
        for row, (x, y) in zip(line, points, strict=True):
            axes.plot(x, y, markers[row.time_steps], color=drawn.get_color())
    for steps, marker in markers.items():
        axes.plot([], [], marker, color="black", label=f"T = {steps}")
    return _accuracy_over_energy(figure, axes, model)


def neurons_figure(curves: Mapping[str, Sequence[SweepRow]], model: str) -> Figure:
    """Accuracy over energy: for each name (a neuron, a network) its points that none dominates."""
    figure, (axes,) = _stacked(1, 3.2)
    for (name, rows), marker in zip(curves.items(), cycle(MARKERS), strict=False):
        best = [(row.energy_uj[model], 100 * row.accuracy) for row in front(rows, model)]
        axes.plot(*zip(*best, strict=True), f"{marker}-", drawstyle="steps-post", label=name)
    return _accuracy_over_energy(figure, axes, model)


def _accuracy_over_energy(figure: Figure, axes: Axes, model: str) -> Figure:
    axes.set(xlabel=f"energy per inference, {model} (uJ)", ylabel="accuracy (%)")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _stacked(rows: int, height: float) -> tuple[Figure, list[Axes]]:
    """Axes above each other that share their horizontal axis."""
    figure = Figure(figsize=(WIDTH, rows * height), layout="constrained")
    return figure, list(figure.subplots(rows, 1, squeeze=False, sharex=True)[:, 0])


def _name_bars(axes: Axes, names: Sequence[str]) -> None:
    """Names below the bars, upright where there are many."""
    axes.set_xticks(range(len(names)), names, rotation=0 if len(names) <= 6 else 90)


def _grouped(axes: Axes, groups: Mapping[str, Sequence[float]]) -> None:
    """Bars side by side, one of each group per place."""
    width = 0.8 / len(groups)
    for index, (name, heights) in enumerate(groups.items()):
        shift = (index - (len(groups) - 1) / 2) * width
        axes.bar([x + shift for x in range(len(heights))], heights, width, label=name)


def _layers(report: dict[str, Any]) -> Figure:
    layers = report["layers"]
    figure, (rate, operations, share) = _stacked(3, 1.8)
    places = range(len(layers))
    rate.bar(places, [100 * layer["rate"] for layer in layers], color="C0")
    rate.set_ylabel("spike rate\n(% per step)")
    spread = [layer["synaptic_operations"] for layer in layers]
    means, deviations = [s["mean"] for s in spread], [s["std"] for s in spread]
    operations.bar(places, means, yerr=deviations, color="C1", capsize=2)
    operations.set_ylabel("synaptic\noperations")
    energies = [layer["energy_uj"] for layer in layers]
    _grouped(share, {m: [100 * e[m]["share"] for e in energies] for m in report["models"]})
    share.set_ylabel("share of\nenergy (%)")
    _name_bars(share, [layer["layer"] for layer in layers])
    figure.legend(loc="outside right lower", frameon=False)
    return figure


def _estimates(estimates: list[dict[str, Any]]) -> Figure:
    figure, (axes,) = _stacked(1, 2.8)
    _grouped(axes, {key: [e[key] for e in estimates] for key in ("estimate", "counted")})
    arrow = " to\n" if len(estimates) <= 6 else " to "
    _name_bars(axes, [f"{e['source']}{arrow}{e['target']}" for e in estimates])
    axes.set_ylabel("synaptic operations")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _parts(energies: dict[str, dict[str, float | None]]) -> Figure:
    """Shares of synapses, neurons and memory in the energy of the whole network, by model."""
    figure, (axes,) = _stacked(1, 2.8)
    below = [0.0] * len(energies)
    for part in ("synapses", "neurons", "memory"):
        shares = [100 * (e[part] or 0.0) / (e["total"] or 1.0) for e in energies.values()]
        axes.bar(range(len(shares)), shares, bottom=below, label=part)
        below = [a + b for a, b in zip(below, shares, strict=True)]
    _name_bars(axes, list(energies))
    axes.set_ylabel("share of energy (%)")
    figure.legend(loc="outside right upper", frameon=False)
    return figure
