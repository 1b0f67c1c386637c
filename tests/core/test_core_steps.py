"""The integer steps against the scalar oracle, over formats, tables and saturating inputs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import oracle
from support.oracle import arlif_integer, sigma
from support.raw_neurons import arlif, cuba, lif_hard, lif_soft, lif_subtract, sampled
from support.strategies_neurons import neurons, rngs
from support.user_neurons import Adaptive

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.real_neurons import RealArlif, RealClif, RealLifWeighted
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
    functions = {name: functions[name] for name in neuron.tables}
    tables = {
        name: oracle.sampled(function, numbers.tables.entries, -4, 4, state.frac_bits, one)
        for name, (function, one) in functions.items()
    }
    for name, (values, low, shift) in tables.items():
        table = neuron.tables[name]
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
    kind = lif_hard if hard else lif_soft
    raw = round(decay * 2**numbers.factor_bits)
    threshold = data.draw(st.integers(1, state.high))
    xs = data.draw(currents(2 ** (state.bits - 1)))
    neuron = kind(state, numbers.factor_bits, raw, threshold)
    want = oracle.lif_integer(xs, state.bits, numbers.factor_bits, raw, threshold, hard)
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
    assert run(neuron, xs) == oracle.lif_subtract_integer(xs, state.bits, numbers.factor_bits, *own)


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
    assert run(neuron, xs) == oracle.cuba_integer(xs, state.bits, numbers.factor_bits, *own)


def listed(neuron: IntegerNeuron) -> dict[str, tuple[list[int], int, int]]:
    """A neuron's tables as the oracles take them."""
    return {n: (t.values.tolist(), t.low, t.shift) for n, t in neuron.tables.items()}


@given(neurons(kinds=(RealClif(), RealLifWeighted(), Adaptive())), st.data())
def test_clif_weighted_lif_and_a_users_neuron_equal_the_oracle(
    neuron: IntegerNeuron, data: st.DataObject
) -> None:
    state, held = neuron.state_format, neuron.constants
    within = st.integers(max(-4 * state.one, state.low), min(4 * state.one, state.high))
    xs = data.draw(st.lists(st.one_of(within, values(state)), min_size=1, max_size=12))
    shared = (xs, state.bits, neuron.factor_bits)
    if neuron.is_a(RealClif):
        own = (held["1"], held["decay"], held["threshold"], listed(neuron))
        want: list[tuple[int, ...]] = [*oracle.clif_integer(*shared, *own)]
    elif neuron.is_a(RealLifWeighted):
        own = (held["decay"], held["threshold"], held["gain"])
        want = [*oracle.lif_weighted_integer(*shared, *own)]
    else:
        kept = listed(neuron)["kept"]
        own = (state.one, held["decay"], held["strength"], kept)
        want = [*oracle.adaptive_integer(*shared, *own)]
    assert run(neuron, xs) == want


@given(neurons(shape=(3, 2, 2), kinds=(Adaptive(),)), rngs())
def test_constants_per_channel_and_per_neuron_reach_their_neurons(
    neuron: IntegerNeuron, rng: np.random.Generator
) -> None:
    """Every neuron of a layer against the oracle with its own constants."""
    state, steps, shape = neuron.state_format, 6, (3, 2, 2)
    high = min(2 * state.one, state.high)
    currents = rng.integers(-high, high + 1, (steps, 1, *shape)).astype(np.int32)
    ops, held = neuron.ops(), neuron.initial_state(np.zeros((1, *shape), np.int32))
    history = []
    for x in currents:
        spikes, held = neuron.step(ops, held, x)
        history.append(np.stack([spikes.astype(np.int32), *held]))
    own = {n: np.broadcast_to(v, shape) for n, v in neuron.constants.items()}
    for place in np.ndindex(shape):
        at = (0, *place)
        want = oracle.adaptive_integer(
            [int(x[at]) for x in currents],
            state.bits,
            neuron.factor_bits,
            state.one,
            int(own["decay"][place]),
            int(own["strength"][place]),
            listed(neuron)["kept"],
        )
        assert [tuple(int(values[at]) for values in row) for row in history] == want


def test_the_reset_is_looked_up_at_the_saturated_memory() -> None:
    """Its table goes on beyond the state format, where r would be 14."""
    state = FixedPointFormat(4, 0)
    flat, ramp = (LookupTable(values, -16, 0) for values in (np.zeros(32), np.arange(-16, 16) // 2))
    drive, gate = LookupTable(np.full(32, 7), -16, 0), LookupTable(np.full(32, 2), -16, 0)
    neuron = arlif(state, 1, 0, threshold=flat, gate=gate, drive=drive, reset=ramp)
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
