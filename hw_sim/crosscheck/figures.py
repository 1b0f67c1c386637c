"""Plots of the checks of a training run."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from hw_sim.crosscheck.result import Check, Verdict


def check_figure(checks: Sequence[Check]) -> Figure:
    """Accuracy float and fixed, and synaptic operations by view, over epochs; failures marked."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    accuracy, operations = figure.subplots(1, 2)
    done = [(check.epoch, check.figures) for check in checks if check.figures]
    epochs = [epoch for epoch, _ in done]
    for name in ("float_accuracy", "fixed_accuracy"):
        values = [100 * getattr(figures, name) for _, figures in done]
        accuracy.plot(epochs, values, "o-", label=name.removesuffix("_accuracy"))
    for check in checks:
        if check.verdict is Verdict.FAILED:
            accuracy.axvline(check.epoch, color="red", linestyle=":")
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)")
    for view in dict.fromkeys(view for _, figures in done for view in figures.operations):
        places = [epoch for epoch, figures in done if view in figures.operations]
        values = [figures.operations[view] for _, figures in done if view in figures.operations]
        operations.plot(places, values, "o-", label=view)
    operations.set(xlabel="epoch", ylabel="synaptic operations", ylim=(0, None))
    if done:
        accuracy.legend(frameon=False)
        operations.legend(frameon=False)
    return figure
