"""Plots of the checks of a training run."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from arlif.training.plots import LEAST_ACCURACY, at_least
from hw_sim.crosscheck.result import Check, Verdict

STYLES = {"estimate": "C0o-", "integer": "C1o-", "integer traced": "C2o-", "lava": "C3x--"}
"""How each view is drawn; Lava's lies on the integer engine's where all is well."""

TRACED = ("integer traced", "lava")
"""Views of the samples that Lava runs too; the others are of all."""


def check_figure(checks: Sequence[Check]) -> Figure:
    """Accuracies, synaptic operations and energy by view, over epochs; failures marked."""
    figure = Figure(figsize=(11, 2.8), layout="constrained")
    accuracy, operations, energy = figure.subplots(1, 3)
    done = [(check.epoch, check.figures) for check in checks if check.figures]
    epochs = [epoch for epoch, _ in done]
    for name in ("float_accuracy", "fixed_accuracy"):
        values = [100 * getattr(figures, name) for _, figures in done]
        accuracy.plot(epochs, values, "o-", label=name.removesuffix("_accuracy"))
    for check in checks:
        if check.verdict is Verdict.FAILED:
            accuracy.axvline(check.epoch, color="red", linestyle=":")
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)")
    at_least(accuracy, LEAST_ACCURACY, 100.0)
    _by_view(operations, epochs, [figures.operations for _, figures in done])
    operations.set_ylabel("synaptic operations")
    operations.yaxis.set_major_formatter(EngFormatter())
    _by_view(energy, epochs, [figures.energy_uj["paper"] for _, figures in done])
    energy.set_ylabel("energy, paper (uJ)")
    for axes in (accuracy, operations, energy):
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if done:
        _, last = done[-1]
        accuracy.legend(frameon=False)
        lines, views = operations.get_legend_handles_labels()
        samples = [last.traced if view in TRACED else last.samples for view in views]
        labels = [f"{view} ({count} samples)" for view, count in zip(views, samples, strict=True)]
        figure.legend(lines, labels, loc="outside right upper", frameon=False)
    return figure


def _by_view(axes: Axes, epochs: Sequence[int], values: Sequence[Mapping[str, float]]) -> None:
    """A line for every view; one that a check lacks has no point there."""
    for view, style in STYLES.items():
        points = [(e, v[view]) for e, v in zip(epochs, values, strict=True) if view in v]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=view)
    axes.set(xlabel="epoch", ylim=(0, None))
