"""Plots of an energy report and of a sweep. Matplotlib's object interface: no global state."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hw_sim.sweep import SweepRow


def energy_figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Figures by title: bars per layer, and estimates against counts."""
    layers = report["layers"]
    names = [layer["layer"] for layer in layers]
    figure, (rate, operations, share) = _bars(3)
    rate.bar(names, [100 * layer["rate"] for layer in layers], color="C0")
    rate.set_ylabel("spike rate (% per step)")
    spread = [layer["synaptic_operations"] for layer in layers]
    operations.bar(
        names, [s["mean"] for s in spread], yerr=[s["std"] for s in spread], color="C1", capsize=2
    )
    operations.set_ylabel("synaptic operations")
    models = list(report["models"])
    width = 0.8 / len(models)
    for index, model in enumerate(models):
        places = [x + (index - (len(models) - 1) / 2) * width for x in range(len(names))]
        shares = [100 * layer["energy_uj"][model]["share"] for layer in layers]
        share.bar(places, shares, width, label=model)
    share.set_xticks(range(len(names)), names)
    share.set_ylabel("share of energy (%)")
    share.legend(frameon=False)
    return {
        "operations and energy per layer": figure,
        "estimated and counted synaptic operations": _estimates(report["estimates"]),
        "where the energy goes": _parts(report),
    }


def sweep_figure(curves: Mapping[str, Sequence[SweepRow]], model: str) -> Figure:
    """Accuracy over energy, one curve per name (a neuron, a network)."""
    figure, (axes,) = _bars(1)
    for name, rows in curves.items():
        ordered = sorted(rows, key=lambda row: row.energy_uj[model])
        energies = [row.energy_uj[model] for row in ordered]
        axes.plot(energies, [100 * row.accuracy for row in ordered], "o-", label=name)
        for row, x in zip(ordered, energies, strict=True):
            text = f"{row.weight_bits} bit, T={row.time_steps}"
            axes.annotate(text, (x, 100 * row.accuracy), fontsize=7)
    axes.set(xlabel=f"energy per inference, {model} (uJ)", ylabel="accuracy (%)")
    axes.legend(frameon=False)
    return figure


def _bars(columns: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4 * columns if columns > 1 else 8, 2.8), layout="constrained")
    axes = list(figure.subplots(1, columns, squeeze=False)[0])
    for each in axes:
        each.tick_params(axis="x", labelrotation=30)
    return figure, axes


def _estimates(estimates: list[dict[str, Any]]) -> Figure:
    figure, (axes,) = _bars(1)
    names = [f"{e['source']} to {e['target']}" for e in estimates]
    places = range(len(names))
    for offset, key in ((-0.2, "estimate"), (0.2, "counted")):
        axes.bar([x + offset for x in places], [e[key] for e in estimates], 0.4, label=key)
    axes.set_xticks(places, names)
    axes.set_ylabel("synaptic operations")
    axes.legend(frameon=False)
    return figure


def _parts(report: dict[str, Any]) -> Figure:
    """Energy of the whole network by model, in synapses, neurons and memory."""
    figure, (axes,) = _bars(1)
    models = list(report["models"])
    below = [0.0] * len(models)
    for part in ("synapses", "neurons", "memory"):
        energies = [
            sum(layer["energy_uj"][model][part] or 0.0 for layer in report["layers"])
            for model in models
        ]
        axes.bar(models, energies, bottom=below, label=part)
        below = [a + b for a, b in zip(below, energies, strict=True)]
    axes.set_ylabel("energy per inference (uJ)")
    axes.legend(frameon=False)
    return figure
