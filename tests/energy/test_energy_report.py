"""Report data and sweeps: complete, consistent, plain, and the same in parallel."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif import data
from arlif.base.errors import ArlifError
from arlif.networks import build
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from arlif.training import load_recipe
from hw_sim.energy.bill import energy_report, layer_rows
from hw_sim.energy.catalogue import MODELS
from hw_sim.engines.integer import fast
from hw_sim.engines.simulation import Record, raw_inputs
from hw_sim.pipeline.sweep import sweep
from hw_sim.pipeline.sweep_points import Sweep, SweepRow, cheapest, front
from hw_sim.report.energy_plots import (
    energy_figures,
    neurons_figure,
    projection_names,
    sweep_figure,
)
from hw_sim.report.equal_accuracy import at_equal_accuracy


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
    linear, source, real, _ = digits
    network = quantize(linear, source, Precision(), 3)
    inputs = raw_inputs(network, real)
    record = Record.everything(network, states=False)
    return energy_report(network, inputs, fast.simulate(network, inputs, 3, record), 3)


def test_a_report_is_plain_data_and_adds_up(report):
    assert json.loads(json.dumps(report)) == report
    assert set(report["models"]) == set(MODELS)
    for model, total in report["total"]["energy_uj"].items():
        parts = [layer["energy_uj"][model] for layer in report["layers"]]
        assert sum(part["share"] for part in parts) == pytest.approx(1)
        assert sum(part["mean"] for part in parts) == pytest.approx(total["mean"])
        for part in (*parts, total):
            known = (part["synapses"], part["neurons"], part["memory"])
            assert sum(value or 0 for value in known) == pytest.approx(part["mean"])
            assert 0.999999 * part["min"] <= part["mean"] <= 1.000001 * part["max"]
        assert total["std"] > 0
        steps = report["by_step"]["energy_uj"][model]
        assert sum(sum(step) for step in steps.values()) == pytest.approx(total["mean"])
    layers = report["layers"]
    operations = report["total"]["synaptic_operations"]
    assert sum(la["synaptic_operations"]["mean"] for la in layers) == pytest.approx(
        operations["mean"]
    )
    assert operations["min"] <= operations["mean"] <= operations["max"]
    assert operations["std"] > 0
    assert sum(e["counted"] for e in report["estimates"]) == pytest.approx(operations["mean"])
    for layer in layers:
        steps = report["by_step"]["synaptic_operations"][layer["layer"]]
        assert len(steps) == report["time_steps"]
        assert sum(steps) == pytest.approx(layer["synaptic_operations"]["mean"])


def test_a_network_of_one_step_has_figures_of_one_step(digits):
    linear, source, real, _ = digits
    network = quantize(linear, source, Precision(), 1)
    inputs = raw_inputs(network, real)
    simulation = fast.simulate(network, inputs, 1, Record.everything(network, states=False))
    report = energy_report(network, inputs, simulation, 1)
    assert report["by_step"]["samples"] == 24
    for layer in report["layers"]:
        (step,) = report["by_step"]["synaptic_operations"][layer["layer"]]
        assert step == pytest.approx(layer["synaptic_operations"]["mean"])


def test_a_silent_network_without_energy_has_shares_of_zero(digits):
    linear, source, real, _ = digits
    network = quantize(linear, source, Precision(), 3)
    inputs = np.zeros_like(raw_inputs(network, real))
    simulation = fast.simulate(network, inputs, 3)
    silent = replace(
        simulation, counts={name: np.zeros_like(c) for name, c in simulation.counts.items()}
    )
    report = energy_report(network, inputs, silent, 3, (MODELS["paper"],))
    assert report["total"]["energy_uj"]["paper"]["mean"] == 0
    assert {layer["energy_uj"]["paper"]["share"] for layer in report["layers"]} == {0.0}


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
    assert len(text.getvalue().splitlines()) == 1 + len(report["layers"]) + 1
    assert not any(isinstance(value, dict) for row in rows for value in row.values())
    assert set(rows[-1]) < set(rows[0])
    for model in report["models"]:
        *layers, total = [row[f"energy_uj {model} mean"] for row in rows]
        assert sum(layers) == pytest.approx(total)
        assert rows[0][f"energy_uj {model} share"] == pytest.approx(layers[0] / total)


def test_by_step_says_of_how_many_samples_it_is(digits):
    linear, source, real, _ = digits
    network = quantize(linear, source, Precision(), 3)
    inputs = raw_inputs(network, real)
    whole = fast.simulate(network, inputs, 3)
    few = fast.simulate(network, inputs[:5], 3, Record.everything(network, states=False))
    report = energy_report(network, inputs, replace(whole, traces=few.traces), 3)
    assert (report["samples"], report["by_step"]["samples"]) == (24, 5)
    over_time = [title for title in energy_figures(report) if "over time" in title]
    assert len(over_time) == 2
    assert all("mean of the 5 recorded samples" in title for title in over_time)


def test_figures_can_be_drawn_for_shallow_and_deep_networks(report, digits):
    linear, source, real, labels = digits
    rows = list(sweep(linear, source, real, labels, [(4, 1), (8, 1)], models=(MODELS["paper"],)))
    names = [f"stage{number}_with_a_long_name" for number in range(40)]
    deep = report | {
        "layers": [report["layers"][0] | {"layer": name} for name in names],
        "estimates": [report["estimates"][0] | {"source": name} for name in names],
        "by_step": report["by_step"]
        | {"synaptic_operations": {name: [1.0, 2.0, 3.0] for name in names}},
    }
    untraced = report | {"by_step": None}
    silent = report | {
        "by_step": report["by_step"] | {"energy_uj": {"paper": {n: [0.0, 0.0] for n in names}}}
    }
    drawings = [
        *(f for each in (report, deep, untraced, silent) for f in energy_figures(each).values()),
        sweep_figure(rows, "paper"),
        neurons_figure({"arlif": rows, "lif": rows[:1]}, "paper"),
    ]
    for figure in drawings:
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg")
        assert b"<svg" in drawn.getvalue()


def test_a_sweep_is_the_same_in_parallel_and_covers_every_point(digits):
    linear, source, real, labels = digits
    points = [(2, 1), (2, 3), (8, 1), (8, 3)]
    alone = list(sweep(linear, source, real, labels, points))
    assert alone == list(sweep(linear, source, real, labels, points, jobs=2))
    assert [(row.weight_bits, row.time_steps) for row in alone] == points
    short, long = alone[2], alone[3]
    assert short.synaptic_operations < long.synaptic_operations
    for model in MODELS:
        assert short.energy_uj[model] < long.energy_uj[model]


def test_the_cheapest_point_reaches_the_accuracy(digits):
    linear, source, real, labels = digits
    points = [(3, 1), (3, 2), (8, 1), (8, 2)]
    rows = list(sweep(linear, source, real, labels, points, models=(MODELS["paper"],)))
    goal = float(np.median([row.accuracy for row in rows]))
    best = cheapest(rows, goal, "paper")
    assert best is not None
    assert best.accuracy >= goal
    others = [row for row in rows if row.accuracy >= goal]
    assert best.energy_uj["paper"] == min(row.energy_uj["paper"] for row in others)
    assert cheapest(rows, 1.1, "paper") is None


def sweeps():
    """Points of a sweep in small numbers, so that they are often equal or beat each other."""
    point = st.builds(
        lambda accuracy, energy: SweepRow(8, 4, accuracy / 4, 1.0, {"a": energy, "b": 5 - energy}),
        st.integers(0, 4),
        st.integers(1, 4),
    )
    return st.lists(point, min_size=1, max_size=8)


@given(sweeps())
def test_the_front_is_what_no_point_beats(rows):
    best = front(rows, "a")
    steps = [(row.energy_uj["a"], row.accuracy) for row in best]
    assert steps == sorted(set(steps))
    assert len({accuracy for _, accuracy in steps}) == len(steps)
    for row in rows:
        assert any(
            energy <= row.energy_uj["a"] and accuracy >= row.accuracy for energy, accuracy in steps
        )
    for row in best:
        assert not any(
            other.accuracy >= row.accuracy and other.energy_uj["a"] < row.energy_uj["a"]
            for other in rows
        )


@given(sweeps(), sweeps())
def test_networks_are_compared_at_an_accuracy_that_each_of_them_reaches(first, second):
    result = at_equal_accuracy({"first": first, "second": second})
    highest = [max(row.accuracy for row in rows) for rows in (first, second)]
    assert result["accuracy"] == min(highest)
    assert [n["best_accuracy"] for n in result["networks"]] == highest
    for network, rows in zip(result["networks"], (first, second), strict=True):
        for model, point in network["cheapest"].items():
            enough = [row.energy_uj[model] for row in rows if row.accuracy >= result["accuracy"]]
            assert point["energy_uj"][model] == min(enough)


def test_a_sweep_without_samples_is_refused(digits):
    linear, source, real, labels = digits
    with pytest.raises(ArlifError, match="at least one sample"):
        sweep(linear, source, real[:, :0], labels[:0], [(8, 1)])


def test_a_sweep_knows_which_of_its_points_are_measured():
    asked = Sweep("0", "digits", 24, (8, 2), (1, 3))
    assert asked.points == [(8, 1), (8, 3), (2, 1), (2, 3)]
    rows = {
        point: SweepRow(*point, 0.5, 1.0, {"integer": 1.0}) for point in [*asked.points, (4, 1)]
    }
    begun = asked
    for point in [(2, 3), (8, 1), (4, 1)]:
        begun = begun.with_row(rows[point])
    assert begun.rows == (rows[2, 3], rows[4, 1], rows[8, 1])
    assert begun.answer == (rows[8, 1], rows[2, 3])
    assert begun.missing == [(8, 3), (2, 1)]
    assert begun.unfinished == "2 of 4 points"
    whole = begun.with_row(rows[8, 3]).with_row(rows[2, 1])
    assert (whole.missing, whole.unfinished) == ([], "")
    assert begun.differs(replace(asked, weight_bits=(3,))) == []
    assert replace(begun, samples=3, arlif="1").differs(asked) == ["arlif", "samples"]
    with pytest.raises(ArlifError, match="another point"):
        begun.with_row(rows[8, 1])
    for bits, steps, rule in ((-9, 4, "weights take 2 to 8 bits"), (8, 0, "at least 1 time step")):
        with pytest.raises(ArlifError, match=rule):
            SweepRow(bits, steps, 0.5, 1.0, {"integer": 1.0})


def test_projections_between_the_same_layers_are_told_apart() -> None:
    pairs = [("input", "a"), ("a", "b"), ("a", "b"), ("b", "b"), ("a", "b")]
    names = projection_names([{"source": s, "target": t} for s, t in pairs])
    assert names == ["input to a", "a to b, 1", "a to b, 2", "b to b", "a to b, 3"]
