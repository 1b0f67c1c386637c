"""Lava equals the integer reference engine in every spike, state, count and sum."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from support.strategies import cases

from arlif.base.errors import ArlifError, SimulationError
from hw_sim.engines.integer.reference import simulate as simulate_reference
from hw_sim.engines.lava import Models, simulate
from hw_sim.engines.simulation import Record

pytestmark = pytest.mark.lava

few = settings(derandomize=True, database=None, phases=[Phase.generate])
"""No shrinking: every attempt starts a simulator."""


def assert_equal(got, want):
    np.testing.assert_array_equal(got.readout, want.readout, strict=True)
    assert got.counts.keys() == want.counts.keys()
    assert got.traces.keys() == want.traces.keys()
    for name, count in want.counts.items():
        np.testing.assert_array_equal(got.counts[name], count, strict=True)
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(got.traces[name].spikes, trace.spikes, strict=True)
        assert got.traces[name].states.keys() == trace.states.keys()
        for state, values in trace.states.items():
            np.testing.assert_array_equal(got.traces[name].states[state], values, strict=True)


def assert_lava_agrees(case, **options):
    record = Record.everything(case.network)
    given = (case.network, case.inputs, case.time_steps, record)
    assert_equal(simulate(*given, **options), simulate_reference(*given))


def assert_stock_lava_agrees(case):
    try:
        assert_lava_agrees(case, models=Models.STOCK)
    except SimulationError as error:
        assume("past the 24 bits" not in str(error))
        raise


@settings(few, max_examples=6)
@given(cases(max_samples=5, max_steps=6), st.integers(1, 5))
def test_lava_equals_the_reference(case, batch):
    assert_lava_agrees(case, batch=batch)


@settings(few, max_examples=3)
@given(cases(max_populations=3, max_samples=2, max_steps=6))
def test_stock_synapses_equal_the_reference(case):
    assert_stock_lava_agrees(case)


@pytest.mark.slow
@settings(few, max_examples=100)
@given(cases(max_populations=6, max_samples=7, max_steps=6), st.integers(1, 7), st.integers(1, 2))
def test_lava_equals_the_reference_on_many_networks(case, batch, workers):
    assert_lava_agrees(case, batch=batch, workers=workers)


@pytest.mark.slow
@settings(few, max_examples=40)
@given(cases(max_samples=3, max_steps=6))
def test_stock_synapses_equal_the_reference_on_many_networks(case):
    assert_stock_lava_agrees(case)


@settings(few, max_examples=2)
@given(cases(max_populations=2, max_samples=5, max_steps=6))
def test_workers_share_the_samples_and_report_progress(case):
    seen = []
    samples = case.inputs.shape[0 if case.network.input.static else 1]
    assert_lava_agrees(
        case, batch=1, workers=3, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == sorted(seen)
    assert seen[-1] == (samples, samples)


@settings(few, max_examples=1)
@given(cases(max_samples=2, max_steps=6))
def test_what_cannot_run_is_refused_before_lava_starts(case):
    given = (case.network, case.inputs, case.time_steps)
    for options, message in (
        ({"batch": 0}, "batch is at least 1"),
        ({"batch": 2, "models": Models.STOCK}, "1 with stock models"),
        ({"workers": 0}, "at least one worker"),
        ({"time_limit_s": 0.0}, "time limit"),
        ({"record": Record(("nobody",))}, "no populations nobody"),
    ):
        with pytest.raises(ArlifError, match=message):
            simulate(*given, **options)
    with pytest.raises(ArlifError, match="inputs must be"):
        simulate(case.network, case.inputs[..., None], case.time_steps)


@settings(few, max_examples=1)
@given(cases(max_steps=6))
def test_stock_synapses_refuse_what_stock_lava_would_wrap(case):
    first, *others = case.network.projections
    network = replace(case.network, projections=(replace(first, shift=17), *others))
    with pytest.raises(SimulationError, match="24 bits"):
        simulate(network, case.inputs, case.time_steps, models=Models.STOCK)
