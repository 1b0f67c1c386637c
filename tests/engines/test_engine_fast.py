"""The fast engine equals the reference in every bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.simulations import assert_equal
from support.strategies import Case, cases

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerLifSoft
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record


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


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("steps", [3, 600])
def test_the_readout_may_read_everything_for_long(static: bool, steps: int) -> None:
    """The input too, biases that overflow 32 bits over time, and more than one block of steps."""
    rng = np.random.default_rng(0)
    form = FixedPointFormat()
    neuron = IntegerLifSoft(form, 8, 128, form.one)
    population = Population("p", (5,), neuron, np.full(5, 9), 4, np.zeros(5))
    dense = [rng.integers(-127, 128, shape).astype(np.int8) for shape in ((5, 7), (2, 7), (2, 5))]
    network = QuantizedNetwork(
        Input((7,), 0.1, -127, 127, static),
        (population,),
        (
            Projection(INPUT, "p", (Dense(dense[0]),), 0),
            Projection(INPUT, READOUT, (Dense(dense[1]),), 3),
            Projection("p", READOUT, (Dense(dense[2]),), 1),
        ),
        Readout(np.array([2**30, -(2**30)], np.int32), 1.0),
        steps,
    )
    lead = (4,) if static else (steps, 4)
    inputs = rng.integers(-127, 128, (*lead, 7)).astype(np.int8)
    got = fast.simulate(network, inputs, steps)
    assert_equal(reference.simulate(network, inputs, steps), got)
    assert got.counts["p"].any()


@pytest.mark.parametrize("shift", [0, 1])
def test_sums_that_float32_holds_alone_are_exact_together(shift: int) -> None:
    """Both terms are just below 2**24; their sum, an odd number, needs a bit more."""
    weights = np.full((2, 1, 1040, 1, 1), 127, np.int8)
    weights[0, 0, 0] = 126
    projections = tuple(
        Projection(INPUT, "p", (Conv2d(weight),), power)
        for weight, power in zip(weights, (0, shift), strict=True)
    )
    form = FixedPointFormat(30, 8)
    neuron = IntegerLifSoft(form, 8, 0, form.high)
    population = Population("p", (1, 1, 1), neuron, np.ones(1, int), 0, np.zeros(1, int))
    network = QuantizedNetwork(
        Input((1040, 1, 1), 0.1, -127, 127, static=True),
        (population,),
        (*projections, Projection("p", READOUT, (Dense(np.ones((1, 1), np.int8)),))),
        Readout(np.zeros(1, np.int32)),
        1,
    )
    first, second = (127 * int(weight.sum(dtype=int)) for weight in weights)
    assert 2**23 < first < second < 2**24
    assert first % 2 == 1
    inputs = np.full((1, 1040, 1, 1), 127, np.int8)
    got = fast.simulate(network, inputs, 1, Record(("p",), True)).traces["p"].states["u"]
    assert got.item() == first + (second << shift)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(max_populations=6), st.sampled_from((1, 50, 10**6)), st.booleans())
def test_equals_the_reference_on_many_networks(
    case: Case, block_elements: int, states: bool
) -> None:
    check(case, block_elements, states)
