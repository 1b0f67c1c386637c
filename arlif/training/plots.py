"""Figures of a training run, drawn from what it recorded."""

from collections.abc import Mapping, Sequence
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import linspace
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.base.files import atomic_path
from arlif.training.metrics import RATE, read_metrics

LEAST_ACCURACY, LEAST_LEARNED = 5.0, 0.1
"""What vertical axes show at least: of accuracies in percent, and of numbers that neurons learn."""


def at_least(axes: Axes, span: float, top: float = inf) -> None:
    """Let a vertical axis show at least `span`, so that noise is not drawn large.

    top: the largest value there can be; where the axis is widened, it ends a little above.
    """
    low, high = axes.get_ylim()
    if high - low >= span:
        return
    middle = min((low + high) / 2, top - 0.45 * span)
    axes.set_ylim(middle - span / 2, middle + span / 2)


def _marker(rows: Sequence[Any]) -> str:
    """What a line is drawn with: a single epoch would show nothing."""
    return "o" if len(rows) == 1 else ""


def learning_curves(run: Path) -> Figure:
    """Loss and accuracy over epochs. Raises ArlifError where the run has no metrics.

    train: as augmented; there is no accuracy of samples that were mixed with others.
    """
    rows = _rows(run)
    epochs = [row["epoch"] for row in rows]
    figure = Figure((8, 3), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    marker = _marker(rows)
    for part, said in (("train", "with regulariser"), ("test", "cross-entropy")):
        values = [row[f"{part}_loss"] for row in rows]
        loss.plot(epochs, values, marker=marker, label=f"{part} ({said})")
    loss.set(xlabel="epoch", ylabel="loss")
    loss.legend()
    for part in ("train", "test"):
        values = [100 * row.get(f"{part}_accuracy", nan) for row in rows]
        if not all(isnan(value) for value in values):
            accuracy.plot(epochs, values, marker=marker, label=part)
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)")
    at_least(accuracy, LEAST_ACCURACY, 100.0)
    accuracy.legend()
    return figure


def spike_rates(runs: Mapping[str, Path]) -> Figure:
    """Spike rate per layer after the last epoch, one line per run (arXiv:2507.20746, Fig. 2)."""
    rates = {label: _columns(_rows(run)[-1], RATE) for label, run in runs.items()}
    layers = max(map(len, rates.values()))
    figure = Figure((max(6, 0.5 * layers), 4), layout="constrained")
    axes = figure.subplots()
    for label, of_layers in rates.items():
        percent = [100 * rate for rate in of_layers.values()]
        axes.plot(list(of_layers), percent, marker="o", label=label)
    axes.set(ylabel="spikes per neuron and step (%)", ylim=(0, None))
    for name in axes.get_xticklabels():
        name.set(rotation=45, ha="right", rotation_mode="anchor")
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return figure


def learned(run: Path) -> Figure:
    """What every neuron layer learned, over training; the deeper a layer, the brighter its line.

    AR-LIF's alpha and beta (arXiv:2507.20746, Fig. 3), or what another neuron trains, of several
    numbers in a layer their mean. Raises ArlifError where it trains none.
    """
    rows = _rows(run)
    symbols = learned_symbols(rows[0])
    require(bool(symbols), f"the neuron that {run} was trained with learns no scalar")
    layers = list(dict.fromkeys(n for s in symbols for n in _columns(rows[0], f"{s}/")))
    colours = colormaps["viridis"](linspace(0, 0.9, len(layers)))
    figure = Figure((2 + 4 * len(symbols), max(3.5, 0.2 * len(layers))), layout="constrained")
    for number, symbol in enumerate(symbols, 1):
        axes = figure.add_subplot(1, len(symbols), number)
        for name, colour in zip(layers, colours, strict=True):
            values = [row.get(f"{symbol}/{name}", nan) for row in rows]
            label = name if number == 1 else None
            epochs = [row["epoch"] for row in rows]
            axes.plot(epochs, values, marker=_marker(rows), color=colour, label=label)
        axes.set(xlabel="epoch", ylabel=symbol)
        at_least(axes, LEAST_LEARNED)
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    return figure


def layer_values(run: Path) -> list[tuple[int, str, str, float]]:
    """(epoch, layer, what, value): spike rates after the last epoch, what was learned after each.

    The numbers of `spike_rates` and of `learned`. Raises ArlifError where the run has no metrics.
    """
    rows = _rows(run)
    found = []
    for row in rows:
        wanted = [*learned_symbols(row), *(["rate"] if row is rows[-1] else [])]
        found += [
            (int(row["epoch"]), layer, what, value)
            for what in wanted
            for layer, value in _columns(row, f"{what}/").items()
        ]
    return found


def learned_symbols(row: Mapping[str, float]) -> list[str]:
    """What a row of metrics gives for neuron layers, but for their spike rates, by name."""
    layers = _columns(row, RATE)
    parts = [name.partition("/") for name in row]
    return list(dict.fromkeys(s for s, _, layer in parts if layer in layers and s != "rate"))


def confusion_figure(confusion: NDArray[Any], classes: Sequence[str]) -> Figure:
    """A confusion matrix, labels down, decisions across."""
    size = 1.5 + 0.4 * min(len(classes), 20)
    figure = Figure((size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(confusion, cmap="Blues")
    if len(classes) <= 20:
        ticks = range(len(classes))
        axes.set_xticks(ticks, classes, rotation=90)
        axes.set_yticks(ticks, classes)
        for row in ticks:
            for column in ticks:
                dark = confusion[row, column] > confusion.max() / 2
                axes.text(
                    *(column, row, str(int(confusion[row, column]))),
                    ha="center",
                    va="center",
                    color="white" if dark else "black",
                    fontsize=7,
                )
    axes.set(xlabel="decision", ylabel="label")
    return figure


def spread_figure(values: Mapping[str, Sequence[float]]) -> Figure:
    """Every value as a dot and their mean as a line, one row per label; percent."""
    figure = Figure((7, 0.8 + 0.45 * len(values)), layout="constrained")
    axes = figure.subplots()
    for row, numbers in enumerate(values.values()):
        axes.plot(numbers, [row] * len(numbers), "o", color="tab:blue", alpha=0.7)
        axes.plot([sum(numbers) / len(numbers)] * 2, [row - 0.3, row + 0.3], color="black")
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()
    axes.set(xlabel="test accuracy, last epoch (%)")
    axes.grid(axis="x", alpha=0.3)
    return figure


def save(figure: Figure, target: Path) -> None:
    """Write a figure as what the file's name ends in, png, pdf or svg, atomically."""
    kind = target.suffix.removeprefix(".")
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
    with atomic_path(target) as temporary:
        figure.savefig(temporary, format=kind, dpi=120, metadata=undated)


def _rows(run: Path) -> list[dict[str, float]]:
    rows = read_metrics(run)
    require(bool(rows), f"{run} holds no metrics; train it first: arlif train {run}")
    return rows


def _columns(row: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): v for name, v in row.items() if name.startswith(prefix)}
