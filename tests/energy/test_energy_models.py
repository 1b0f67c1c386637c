"""Cost models: published prices, bills by hand, user files, estimates against counts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.raw_neurons import lif_soft
from support.strategies import Case, cases

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense, SumPool2d
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.energy.catalogue import (
    FLOAT,
    INTEGER,
    LOIHI1,
    MEMORY,
    MODELS,
    PAPER,
    find_model,
    fitting_models,
)
from hw_sim.energy.connections import fan_out
from hw_sim.energy.counter import count, input_events
from hw_sim.energy.estimate import estimates
from hw_sim.energy.models import TableModel
from hw_sim.energy.prices import IntegerUnits, memory_access
from hw_sim.engines.integer.reference import simulate


def counted(case: Case):
    simulation = simulate(case.network, case.inputs, case.time_steps)
    return simulation, count(case.network, case.inputs, simulation, case.time_steps)


def test_prices_are_the_published_ones_at_published_widths_and_sizes():
    units = IntegerUnits()
    assert [units.add(bits) for bits in (8, 16, 32)] == [0.03, 0.05, 0.1]
    assert [units.multiply(8, 8), units.multiply(32, 32)] == pytest.approx([0.2, 3.1])
    kib = 8 * 1024
    sizes = [memory_access(64, size * kib) for size in (8, 32, 1024)]
    assert sizes == pytest.approx([10, 20, 100])
    assert memory_access(16, 100) == memory_access(16, 8 * kib) == pytest.approx(2.5)


def test_prices_lie_on_lines_between_published_points_and_beyond_them():
    """Proportional below the first point, on through the last two above the last."""
    units = IntegerUnits()
    adds = [units.add(bits) for bits in (4, 12, 24, 48, 64)]
    assert adds == pytest.approx([0.015, 0.04, 0.075, 0.15, 0.2])
    slope = (3.1 - 0.2) / (1024 - 64)
    products = [units.multiply(bits, 8) for bits in (4, 16, 256)]
    assert products == pytest.approx([0.1, 0.2 + 64 * slope, 3.1 + 1024 * slope])
    kib = 8 * 1024
    sizes = [memory_access(64, size * kib) for size in (20, 528, 2016)]
    assert sizes == pytest.approx([15, 60, 180])


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 2**24))
def test_prices_rise_with_width_and_size_and_are_never_zero(bits, other, size):
    units = IntegerUnits()
    assert 0 < units.add(bits) < units.add(bits + 1)
    assert 0 < units.multiply(bits, other) < units.multiply(bits + 1, other)
    assert 0 < memory_access(bits, size) <= memory_access(bits, 2 * size)


@settings(max_examples=25, deadline=None)
@given(cases(max_populations=3, max_steps=6))
def test_the_paper_pays_4_6_and_0_9_pj_and_nothing_else(case: Case):
    _, counts = counted(case)
    for layer in counts.layers:
        bill = PAPER.bill(layer)
        assert bill.neurons is None
        assert bill.memory is None
        want = 4.6 * layer.multiply_accumulates + 0.9 * layer.accumulates
        assert bill.total == pytest.approx(want, rel=1e-12)
        honest = FLOAT.bill(layer)
        assert honest.synapses == pytest.approx(bill.synapses + 0.9 * layer.bits_set, rel=1e-12)
        assert (honest.total > bill.total).all()


def test_a_graded_input_that_a_pool_adds_up_has_one_price():
    """2 x 2 windows of a 4 x 4 image: 16 pixels that are added, at two time steps."""
    neuron = lif_soft(FixedPointFormat(16, 8), 8, 128, threshold=256)
    population = Population("p", (1, 2, 2), neuron, np.ones(1, int), 0, np.zeros(1, int))
    pool = Projection(INPUT, "p", (SumPool2d((2, 2), (2, 2)),))
    readout = Projection("p", READOUT, (Dense(np.ones((3, 4), np.int8)),))
    network = QuantizedNetwork(
        Input((1, 4, 4), 1.0), (population,), (pool, readout), Readout(np.zeros(3, np.int32)), 2
    )
    inputs = np.full((1, 1, 4, 4), 5, np.int8)
    counts = count(network, inputs, simulate(network, inputs, 2), 2)
    layer, (estimate, _) = counts.layers[0], estimates(counts)
    assert (layer.multiply_accumulates.tolist(), layer.accumulates.tolist()) == ([0], [32])
    assert PAPER.bill(layer).total == pytest.approx([32 * 0.9])
    assert estimate.paper_pj == pytest.approx(32 * 0.9)


def two_layers() -> tuple[QuantizedNetwork, np.ndarray]:
    """4 inputs -> 3 LIF -> 2 classes; every neuron fires at every step."""
    neuron = lif_soft(FixedPointFormat(16, 8), 8, 128, threshold=0)
    population = Population("p", (3,), neuron, np.ones(3, int), 0, np.full(3, 9))
    first = Projection(INPUT, "p", (Dense(np.full((3, 4), 100, np.int8)),))
    second = Projection("p", READOUT, (Dense(np.full((2, 3), -3, np.int8)),))
    readout = Readout(np.zeros(2, np.int32))
    network = QuantizedNetwork(Input((4,), 1.0), (population,), (first, second), readout, 5)
    return network, np.array([[3, 0, 1, 0]], np.int8)


def test_bills_of_a_small_network_by_hand():
    network, inputs = two_layers()
    simulation = simulate(network, inputs, 5)
    assert simulation.counts["p"].tolist() == [[5, 5, 5]]
    p, readout = count(network, inputs, simulation, 5).layers
    # 2 pixels are not 0, 5 times, to 3 neurons each; 15 spikes to 2 classes each.
    assert (p.multiply_accumulates.tolist(), p.accumulates.tolist()) == ([30], [0])
    assert (readout.multiply_accumulates.tolist(), readout.accumulates.tolist()) == ([0], [30])
    assert PAPER.bill(p).total == pytest.approx([30 * 4.6])
    assert PAPER.bill(readout).total == pytest.approx([30 * 0.9])
    assert LOIHI1.bill(p).total == pytest.approx([30 * 23.6 + 15 * 81])
    assert LOIHI1.bill(readout).total == pytest.approx([30 * 23.6 + 10 * 81])
    # Everything is smaller than 8 KiB: 10 pJ per 64 bits. Accumulators need 17 and 5 bits.
    assert (p.accumulator_bits, readout.accumulator_bits) == (17, 5)
    weights = 30 * 8
    accumulators = 2 * (30 + 15) * 17
    states, parameters = 2 * 15 * 16, 15 * (8 + 16)
    bits = weights + accumulators + states + parameters
    assert MEMORY.bill(p).memory == pytest.approx([bits * 10 / 64])
    assert np.array_equal(MEMORY.bill(p).neurons, INTEGER.bill(p).neurons)


@settings(max_examples=25, deadline=None)
@given(cases(max_populations=3, max_steps=6))
def test_a_built_in_model_prices_every_neuron_or_says_that_it_does_not(case: Case):
    _, counts = counted(case)
    for model in MODELS.values():
        assert model.source
        assert model.assumptions
        for layer in counts.layers:
            if model is LOIHI1 and layer.neuron in ("Clif", "LifWeighted"):  # nobody priced these
                with pytest.raises(ArlifError, match=f"no price for an update of {layer.neuron}"):
                    model.bill(layer)
                continue
            bill = model.bill(layer)
            assert bill.total.shape == (counts.samples,)
            assert bill.neurons is None or (bill.neurons > 0).all()
    unpriced = any(layer.neuron in ("Clif", "LifWeighted") for layer in counts.layers)
    left_out = {*MODELS} - {model.name for model in fitting_models(case.network)}
    assert left_out == ({"loihi1"} if unpriced else set())


def test_a_neuron_type_without_a_price_is_an_error():
    network, inputs = two_layers()
    layer = count(network, inputs, simulate(network, inputs, 1), 1).layers[0]
    with pytest.raises(ArlifError, match="no price for an update of Unheard"):
        LOIHI1.bill(replace(layer, neuron="Unheard"))


USER = """
name = "mychip"
source = "our measurements"
accumulate_pj = 2
multiply_accumulate_pj = 5.5
neuron_update_pj = { LifSoft = 10, Readout = 1.5 }
memory_pj_per_bit = { weights = 0.1 }
"""


def test_a_user_file_is_a_cost_model(tmp_path):
    path = tmp_path / "chip.toml"
    path.write_text(USER)
    model = find_model(str(path))
    network, inputs = two_layers()
    p, _ = count(network, inputs, simulate(network, inputs, 5), 5).layers
    bill = model.bill(p)
    assert bill.total == pytest.approx([30 * 5.5 + 15 * 10 + 30 * 8 * 0.1])


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("accumulate_pj = 2", "", "accumulate_pj"),
        ("accumulate_pj = 2", "accumulate_pj = -2", "not negative"),
        ("accumulate_pj = 2", 'accumulate_pj = "2"', "accumulate_pj"),
        ("accumulate_pj = 2", "accumulate_pj = nan", "finite"),
        ("LifSoft = 10", "LifSoft = 0", "above 0"),
        ("weights = 0.1", "wieghts = 0.1", "weights"),
        ("name =", "nme =", "name"),
        ("name =", "[", "TOML"),
        ('"mychip"', '"paper"', "built-in"),
        ('"our measurements"', "2026-11-25", "2026-11-25 is a date"),
        ("accumulate_pj = 2", "accumulate_pj = 1e308", "at most 1e"),
        ("LifSoft = 10", "LifSoft = 1e13", "at most 1e"),
        ('"mychip"', '"  "', "a line of text"),
        ('"our measurements"', '"our\\nmeasurements"', "a line of text"),
        ("name =", 'assumptions = [""]\nname =', "a line of text"),
    ],
)
def test_a_wrong_user_file_names_what_is_wrong(tmp_path, before, after, complaint):
    path = tmp_path / "chip.toml"
    path.write_text(USER.replace(before, after, 1))
    with pytest.raises(ArlifError, match=complaint):
        find_model(str(path))


@pytest.mark.parametrize("name", ["loihi2", "Loihi 2", "nothing", "missing.toml"])
def test_an_unknown_model_is_an_error_that_helps(name):
    with pytest.raises(ArlifError, match=r"Loihi 2|loihi1|cannot read"):
        find_model(name)


def test_a_table_model_prices_at_least_one_neuron():
    with pytest.raises(ArlifError, match="at least one neuron type"):
        TableModel("x", "y", 1.0, 1.0, {})


@settings(max_examples=40, deadline=None)
@given(cases(max_steps=6))
def test_the_estimate_is_exact_for_dense_maps_and_explained_elsewhere(case: Case):
    network = case.network
    simulation, counts = counted(case)
    sent = {INPUT: input_events(network, case.inputs, case.time_steps), **simulation.counts}
    by_projection = {(e.source, e.target): e for e in estimates(counts)}
    for projection in network.projections:
        key = (projection.source, projection.target)
        e = by_projection[key]
        if sum((p.source, p.target) == key for p in network.projections) > 1:
            continue
        if all(isinstance(linear, Dense) for linear in projection.maps):
            assert e.estimate == pytest.approx(e.counted, rel=1e-12)
        assert e.estimate - e.padding + e.border == pytest.approx(e.counted, rel=1e-12, abs=1e-9)
        events, connections = sent[projection.entering].mean(0), fan_out(network, projection)
        covariance = ((events - events.mean()) * (connections - connections.mean())).sum()
        assert e.border == pytest.approx(covariance, rel=1e-9, abs=1e-6)
