"""The fast engine equals the reference in every bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Case, cases

from hw_sim.engine import fast, reference
from hw_sim.simulation import Record, Simulation


def assert_equal(want: Simulation, got: Simulation) -> None:
    np.testing.assert_array_equal(want.readout, got.readout, strict=True)
    assert want.counts.keys() == got.counts.keys()
    for name in want.counts:
        np.testing.assert_array_equal(want.counts[name], got.counts[name], strict=True)
    assert want.traces.keys() == got.traces.keys()
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(trace.spikes, got.traces[name].spikes, strict=True)
        assert trace.states.keys() == got.traces[name].states.keys()
        for state, values in trace.states.items():
            np.testing.assert_array_equal(values, got.traces[name].states[state], strict=True)


def check(case: Case, block_elements: int, states: bool) -> None:
    record = Record.everything(case.network, states)
    engine = fast.FastEngine(case.network, block_elements=block_elements)
    assert_equal(
        reference.simulate(case.network, case.inputs, case.time_steps, record),
        engine.simulate(case.inputs, case.time_steps, record),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(), st.sampled_from((1, 50, 10**6)), st.booleans())
def test_equals_the_reference(case: Case, block_elements: int, states: bool) -> None:
    check(case, block_elements, states)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(max_populations=6), st.sampled_from((1, 50, 10**6)), st.booleans())
def test_equals_the_reference_on_many_networks(
    case: Case, block_elements: int, states: bool
) -> None:
    check(case, block_elements, states)
