"""Plots of an energy report and of sweeps. Matplotlib's object interface: no global state."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from arlif.training.plots import LEAST_ACCURACY, at_least
from hw_sim.pipeline.sweep_points import SweepRow, front

WIDTH = 8.0
MARKERS = "os^Dv<>PX"
OPERATIONS = "synaptic operations"
KILO = 1000
"""From here on lengths have the prefixes of units; smaller ones, such as percentages, none."""


def energy_figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Figures by title: bars per layer, over time where spikes were recorded, estimates, parts."""
    by_step = report["by_step"]
    return {
        "operations and energy per layer": _layers(report),
        **(_over_time(by_step) if by_step else {}),
        "estimated and counted synaptic operations": grouped_bars(
            projection_names(report["estimates"]),
            {key: [e[key] for e in report["estimates"]] for key in ("estimate", "counted")},
            OPERATIONS,
        ),
        "where the energy goes": _parts(report["total"]["energy_uj"]),
    }


def projection_names(estimates: Sequence[Mapping[str, Any]]) -> list[str]:
    """What rows are called; several from one layer into another are numbered.

    Wide weights make two projections, and so does a shortcut beside a layer.
    """
    pairs = [f"{row['source']} to {row['target']}" for row in estimates]
    return [
        pair if pairs.count(pair) == 1 else f"{pair}, {pairs[: place + 1].count(pair)}"
        for place, pair in enumerate(pairs)
    ]


def grouped_bars(names: Sequence[str], groups: Mapping[str, Sequence[float]], label: str) -> Figure:
    """For each name, the bars of all groups below each other. label: what their length is."""
    figure, (axes,) = _beside(1, _height(names))
    _grouped(axes, groups)
    _name_rows(axes, names)
    axes.set_xlabel(label)
    if max((length for lengths in groups.values() for length in lengths), default=0) >= KILO:
        axes.xaxis.set_major_formatter(EngFormatter())
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def sweep_figure(rows: Sequence[SweepRow], model: str) -> Figure:
    """Accuracy over energy: a line per bit width, a marker per number of time steps."""
    figure, (axes,) = _beside(1, 3.2)
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
    figure, (axes,) = _beside(1, 3.2)
    for (name, rows), marker in zip(curves.items(), cycle(MARKERS), strict=False):
        best = [(row.energy_uj[model], 100 * row.accuracy) for row in front(rows, model)]
        axes.plot(*zip(*best, strict=True), f"{marker}-", drawstyle="steps-post", label=name)
    return _accuracy_over_energy(figure, axes, model)


def _accuracy_over_energy(figure: Figure, axes: Axes, model: str) -> Figure:
    axes.set(xlabel=f"energy per inference, {model} (uJ)", ylabel="accuracy (%)")
    at_least(axes, LEAST_ACCURACY, 100.0)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _beside(columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Axes beside each other that share their vertical axis."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False, sharey=True)[0])


def _height(names: Sequence[str]) -> float:
    """Room for one group of bars per name."""
    return 1.0 + 0.4 * len(names)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Names of the rows of bars, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _grouped(axes: Axes, groups: Mapping[str, Sequence[float]]) -> None:
    """Bars below each other, one of each group per row."""
    thickness = 0.8 / len(groups)
    for index, (name, lengths) in enumerate(groups.items()):
        shift = (index - (len(groups) - 1) / 2) * thickness
        axes.barh([y + shift for y in range(len(lengths))], lengths, thickness, label=name)


def _layers(report: dict[str, Any]) -> Figure:
    layers = report["layers"]
    names = [layer["layer"] for layer in layers]
    figure, (rate, operations, share) = _beside(3, _height(names))
    rows = range(len(layers))
    rate.barh(rows, [100 * (layer["rate"] or 0.0) for layer in layers], color="C0")
    rate.set_xlabel("spike rate (% per step)")
    spread = [layer["synaptic_operations"] for layer in layers]
    means, deviations = [s["mean"] for s in spread], [s["std"] for s in spread]
    operations.barh(rows, means, xerr=deviations, color="C1", capsize=2)
    operations.set_xlabel(OPERATIONS)
    operations.xaxis.set_major_formatter(EngFormatter())
    energies = [layer["energy_uj"] for layer in layers]
    _grouped(share, {m: [100 * e[m]["share"] for e in energies] for m in report["models"]})
    share.set_xlabel("share of energy (%)")
    for axes in (rate, operations, share):
        axes.xaxis.set_major_locator(MaxNLocator(4))
    _name_rows(rate, names)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _over_time(by_step: Mapping[str, Any]) -> dict[str, Figure]:
    """Operations of every layer, energy by model, and in the titles of how many samples."""
    shares = {}
    for model, layers in by_step["energy_uj"].items():
        energies = [sum(step) for step in zip(*layers.values(), strict=True)]
        shares[model] = [100 * energy / (sum(energies) or 1.0) for energy in energies]
    operations = by_step["synaptic_operations"]
    samples = f"mean of the {by_step['samples']} recorded samples"
    counted, axes = _lines_over_time(operations)
    axes.set_ylabel(OPERATIONS)
    axes.yaxis.set_major_formatter(EngFormatter())
    priced, axes = _lines_over_time(shares)
    axes.set_ylabel("share of energy (%)")
    return {
        f"synaptic operations over time, {samples}": counted,
        f"energy over time, {samples}": priced,
    }


def _lines_over_time(lines: Mapping[str, Sequence[float]]) -> tuple[Figure, Axes]:
    figure, (axes,) = _beside(1, _height(list(lines)) / 2 + 1.5)
    for (name, values), marker in zip(lines.items(), cycle(MARKERS), strict=False):
        axes.plot(range(1, len(values) + 1), values, f"{marker}-", label=name)
    axes.set_xlabel("time step")
    axes.set_ylim(0, None)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside right upper", frameon=False)
    return figure, axes


def _parts(energies: dict[str, dict[str, float | None]]) -> Figure:
    """Shares of synapses, neurons and memory in the energy of the whole network, by model."""
    figure, (axes,) = _beside(1, _height(list(energies)))
    left = [0.0] * len(energies)
    for part in ("synapses", "neurons", "memory"):
        shares = [100 * (e[part] or 0.0) / (e["mean"] or 1.0) for e in energies.values()]
        axes.barh(range(len(shares)), shares, left=left, label=part)
        left = [a + b for a, b in zip(left, shares, strict=True)]
    _name_rows(axes, list(energies))
    axes.set_xlabel("share of energy (%)")
    figure.legend(loc="outside right upper", frameon=False)
    return figure
