"""The integer steps against the scalar oracle, over formats, tables and saturating inputs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.integer_neurons import cuba, lif_subtract
from support.oracle import (
    arlif_integer,
    cuba_integer,
    lif_integer,
    lif_subtract_integer,
    sampled,
    sigma,
)

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.real_neurons import RealArlif
from arlif.core.tables import LookupTable, TableDomain


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    bits = draw(st.integers(6, 24))
    frac_bits = draw(st.integers(2, min(12, bits - 1)))
    entries = 2 ** draw(st.integers(4, min(8, frac_bits + 3)))
    domain = TableDomain(entries, -4.0, 4.0)
    return Numbers(FixedPointFormat(bits, frac_bits), draw(st.integers(2, 14)), domain)


def currents(limit: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-limit, limit - 1), min_size=1, max_size=12)


def run(neuron: IntegerNeuron, xs: list[int]) -> list[tuple[int, ...]]:
    ops, state = neuron.ops(), neuron.initial_state(np.zeros(1, np.int32))
    history = []
    for x in xs:
        spikes, state = neuron.step(ops, state, np.array([x], np.int32))
        assert all(variable.dtype == np.int32 for variable in state)
        history.append((int(spikes[0]), *(int(variable[0]) for variable in state)))
    return history


@given(
    numbers(),
    st.floats(0, 1),
    st.floats(0.25, 2),
    st.floats(0, 1),
    st.floats(-1, 1),
    st.booleans(),
    st.data(),
)
def test_arlif_equals_the_oracle(
    numbers: Numbers,
    decay: float,
    v_threshold: float,
    alpha: float,
    beta: float,
    memory: bool,
    data: st.DataObject,
) -> None:
    state = numbers.state_format
    real = RealArlif(decay, v_threshold, alpha, beta, memory)
    try:
        neuron = sampled(real, numbers)
    except ArlifError:
        assert (v_threshold + abs(beta) + 1) * state.one > state.high
        return
    functions = {
        "threshold": (lambda x: v_threshold + beta * math.tanh(x), state.one),
        "gate": (lambda x: sigma(alpha * x), neuron.one),
        "drive": (sigma, state.one),
        "reset": (sigma, state.one),
    }
    tables = {
        name: sampled(function, numbers.tables.entries, -4, 4, state.frac_bits, one)
        for name, (function, one) in functions.items()
    }
    for name, (values, low, shift) in tables.items():
        table = getattr(neuron, name)
        assert (table.low, table.shift) == (low, shift)
        # math and numpy may differ by one ulp, which only matters on an exact tie
        np.testing.assert_allclose(table.values, values, atol=1, rtol=0)
        tables[name] = (table.values.tolist(), low, shift)
    within = min(4 * state.one, 2 ** (state.bits - 1))  # mostly where the tables are not flat
    xs = data.draw(st.one_of(currents(within), currents(2 ** (state.bits - 1))))
    want = arlif_integer(
        xs, state.bits, numbers.factor_bits, round(decay * neuron.one), tables, memory
    )
    assert run(neuron, xs) == want


@given(numbers(), st.floats(0, 1), st.booleans(), st.data())
def test_lif_equals_the_oracle(
    numbers: Numbers, decay: float, hard: bool, data: st.DataObject
) -> None:
    state = numbers.state_format
    kind = IntegerLifHard if hard else IntegerLifSoft
    raw = round(decay * 2**numbers.factor_bits)
    threshold = data.draw(st.integers(1, state.high))
    xs = data.draw(currents(2 ** (state.bits - 1)))
    neuron = kind(state, numbers.factor_bits, raw, threshold)
    want = lif_integer(xs, state.bits, numbers.factor_bits, raw, threshold, hard)
    assert run(neuron, xs) == want


def values(state: FixedPointFormat) -> st.SearchStrategy[int]:
    """Raw values of a format, its ends more often."""
    return st.one_of(
        st.sampled_from((state.low, -1, 0, 1, state.high)), st.integers(state.low, state.high)
    )


@given(numbers(), st.data())
def test_lif_with_an_amount_equals_the_oracle(numbers: Numbers, data: st.DataObject) -> None:
    state = numbers.state_format
    raw = values(state)
    decay, threshold, amount, raised = (
        data.draw(st.integers(0, 2**numbers.factor_bits)),
        *(data.draw(raw) for _ in range(3)),
    )
    xs, shared = data.draw(st.lists(raw, min_size=1)), (state, numbers.factor_bits, decay)
    neuron = lif_subtract(*shared, threshold, amount, raised - threshold)
    own = (decay, threshold, amount, raised - threshold)
    assert run(neuron, xs) == lif_subtract_integer(xs, state.bits, numbers.factor_bits, *own)


@given(numbers(), st.data())
def test_cuba_equals_the_oracle(numbers: Numbers, data: st.DataObject) -> None:
    """Currents at the ends of the registers, which are one bit narrower than the format."""
    state = numbers.state_format
    end, factors = 1 << (state.bits - 2), st.integers(0, 2**numbers.factor_bits)
    near = st.integers(-2, 2).flatmap(lambda n: st.sampled_from((n, end + n, n - end)))
    xs = data.draw(st.lists(st.one_of(near, values(state)), min_size=1))
    decay, current_decay = data.draw(factors), data.draw(factors)
    threshold, bias = data.draw(values(state)), data.draw(values(state))
    shared = (state, numbers.factor_bits, decay, current_decay)
    neuron = cuba(*shared, threshold, np.array([bias]))
    own = (current_decay, decay, threshold, bias)
    assert run(neuron, xs) == cuba_integer(xs, state.bits, numbers.factor_bits, *own)


def test_the_reset_is_looked_up_at_the_saturated_memory() -> None:
    """Its table goes on beyond the state format, where r would be 14."""
    state = FixedPointFormat(4, 0)
    flat, ramp = (LookupTable(values, -16, 0) for values in (np.zeros(32), np.arange(-16, 16) // 2))
    drive, gate = LookupTable(np.full(32, 7), -16, 0), LookupTable(np.full(32, 2), -16, 0)
    neuron = IntegerArlif(state, 1, 0, threshold=flat, gate=gate, drive=drive, reset=ramp)
    tables = {
        name: (table.values.tolist(), table.low, table.shift)
        for name, table in (("threshold", flat), ("gate", gate), ("drive", drive), ("reset", ramp))
    }
    assert run(neuron, [0, 3, 0, 7]) == arlif_integer([0, 3, 0, 7], 4, 1, 0, tables, True)


def test_a_resting_membrane_reaches_zero_and_r_rests_at_minus_one() -> None:
    neuron = sampled(RealArlif(0.5, 1.0, 1.0, 0.0), Numbers())
    history = run(neuron, [-300] + [0] * 40)
    assert history[-1][1] == 0
    assert history[-1][2] == pytest.approx(-neuron.state_format.one, abs=16)
