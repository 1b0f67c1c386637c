"""Plots of the checks of a training run."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hw_sim.crosscheck.result import Check, Verdict


def check_figure(checks: Sequence[Check]) -> Figure:
    """Accuracies, synaptic operations and energy by view, over epochs; failures marked."""
    figure = Figure(figsize=(10, 2.6), layout="constrained")
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
    _by_view(operations, epochs, [figures.operations for _, figures in done])
    operations.set_ylabel("synaptic operations")
    _by_view(energy, epochs, [figures.energy_uj for _, figures in done])
    energy.set_ylabel("energy, paper (uJ)")
    if done:
        accuracy.legend(frameon=False)
        operations.legend(frameon=False)
    return figure


def _by_view(axes: Axes, epochs: Sequence[int], values: Sequence[Mapping[str, float]]) -> None:
    """A line for every view; one that a check lacks has no point there."""
    for view in dict.fromkeys(view for by_view in values for view in by_view):
        points = [(e, v[view]) for e, v in zip(epochs, values, strict=True) if view in v]
        axes.plot(*zip(*points, strict=True), "o-", label=view)
    axes.set(xlabel="epoch", ylim=(0, None))
