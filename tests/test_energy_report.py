"""Report data and sweeps: complete, consistent, plain, and the same in parallel."""

import csv
import io
import json

import numpy as np
import pytest
import torch

from arlif import data
from arlif.errors import ArlifError
from arlif.networks import build
from arlif.quantize.quantize import calibrate_input
from arlif.quantize.trace import linearize
from arlif.training import load_recipe
from hw_sim.energy.catalogue import MODELS
from hw_sim.energy.figures import energy_figures, sweep_figure
from hw_sim.energy.report import energy_report, layer_rows
from hw_sim.sweep import cheapest, sweep


@pytest.fixture(scope="module")
def digits():
    """An untrained digits network, linearized, with test samples."""
    torch.manual_seed(1)
    recipe = load_recipe("digits", {"architecture.features": [4, "pool", 6]})
    dataset = data.load("digits")
    real = dataset.info.network_input(torch.from_numpy(dataset.test.inputs[:24]))
    linear = linearize(build(recipe.network()), dataset.info.shape)
    source = calibrate_input(real.numpy(), linear.input_shape, linear.static)
    return linear, source, real, dataset.test.labels[:24]


@pytest.fixture(scope="module")
def report(digits):
    from arlif.quantize.quantize import Precision, quantize
    from hw_sim.agreement import raw_inputs
    from hw_sim.engine.fast import simulate

    linear, source, real, _ = digits
    network = quantize(linear, source, Precision(), 3)
    inputs = raw_inputs(network, real)
    return energy_report(network, inputs, simulate(network, inputs, 3), 3)


def test_a_report_is_plain_data_and_adds_up(report):
    assert json.loads(json.dumps(report)) == report
    assert set(report["models"]) == set(MODELS)
    for model, total in report["total"]["energy_uj"].items():
        parts = [layer["energy_uj"][model] for layer in report["layers"]]
        assert sum(part["share"] for part in parts) == pytest.approx(1)
        assert sum(part["total"] for part in parts) == pytest.approx(total["mean"])
        for part in parts:
            known = (part["synapses"], part["neurons"], part["memory"])
            assert sum(value or 0 for value in known) == pytest.approx(part["total"])
    layers = report["layers"]
    operations = report["total"]["synaptic_operations"]
    assert sum(la["synaptic_operations"]["mean"] for la in layers) == pytest.approx(
        operations["mean"]
    )
    assert operations["min"] <= operations["mean"] <= operations["max"]
    assert operations["std"] > 0
    assert sum(e["counted"] for e in report["estimates"]) == pytest.approx(operations["mean"])


def test_models_disagree_where_the_literature_leaves_things_out(report):
    energy = {model: total["mean"] for model, total in report["total"]["energy_uj"].items()}
    assert energy["float"] > energy["paper"]
    assert energy["memory"] > energy["integer"]


def test_rows_are_flat_and_of_one_shape(report):
    rows = layer_rows(report)
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    assert len(text.getvalue().splitlines()) == 1 + len(report["layers"])
    assert not any(isinstance(value, dict) for row in rows for value in row.values())


def test_figures_can_be_drawn(report, digits):
    linear, source, real, labels = digits
    rows = sweep(linear, source, real, labels, (4, 8), (1,), models=(MODELS["paper"],))
    figures = {**energy_figures(report), "sweep": sweep_figure({"arlif": rows}, "paper")}
    for figure in figures.values():
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg")
        assert b"<svg" in drawn.getvalue()


def test_a_sweep_is_the_same_in_parallel_and_covers_every_point(digits):
    linear, source, real, labels = digits
    alone = sweep(linear, source, real, labels, (2, 8), (1, 3))
    assert alone == sweep(linear, source, real, labels, (2, 8), (1, 3), jobs=2)
    points = [(row.weight_bits, row.time_steps) for row in alone]
    assert points == [(2, 1), (2, 3), (8, 1), (8, 3)]
    short, long = alone[2], alone[3]
    assert short.synaptic_operations < long.synaptic_operations
    for model in MODELS:
        assert short.energy_uj[model] < long.energy_uj[model]


def test_the_cheapest_point_reaches_the_accuracy(digits):
    linear, source, real, labels = digits
    rows = sweep(linear, source, real, labels, (3, 8), (1, 2), models=(MODELS["paper"],))
    goal = float(np.median([row.accuracy for row in rows]))
    best = cheapest(rows, goal, "paper")
    assert best is not None
    assert best.accuracy >= goal
    others = [row for row in rows if row.accuracy >= goal]
    assert best.energy_uj["paper"] == min(row.energy_uj["paper"] for row in others)
    assert cheapest(rows, 1.1, "paper") is None


def test_a_sweep_without_samples_is_refused(digits):
    linear, source, real, labels = digits
    with pytest.raises(ArlifError, match="at least one sample"):
        sweep(linear, source, real[:, :0], labels[:0], (8,), (1,))
