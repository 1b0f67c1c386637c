"""The CUBA step against Lava's own process model and a scalar oracle, wraps and limits included."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.oracle import clip, towards_zero
from support.raw_neurons import cuba, with_constants

from arlif.base.errors import NetworkError
from arlif.core import loihi
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from hw_sim.engines.lava.hook import mend_lava

BITS_25 = FixedPointFormat(25, 6)


def lava_cuba(current_decay: int, decay: int, threshold: int, bias: NDArray[Any]) -> IntegerNeuron:
    return cuba(BITS_25, 12, decay, current_decay, threshold, bias)


def oracle(
    xs: list[int], current_decay: int, decay: int, threshold: int, bias: int
) -> list[tuple[int, int, int]]:
    u = v = 0
    history = []
    for x in xs:
        u = towards_zero(u * current_decay, 4096) + x
        if u > 2**23:
            u -= 2**24
        elif u <= -(2**23):
            u += 2**24
        v = clip(towards_zero(v * decay, 4096) + u + bias, 1 - 2**23, 2**23 - 1)
        s = int(v >= threshold)
        v *= 1 - s
        history.append((s, u, v))
    return history


def currents() -> st.SearchStrategy[list[int]]:
    """Anything that 25 bits hold, often near the edges where u wraps."""
    edges = st.builds(
        lambda edge, offset: clip(edge + offset, -(2**24), 2**24 - 1),
        st.sampled_from([-(2**24), -(2**23), 0, 2**23, 2**24]),
        st.integers(-2, 2),
    )
    return st.lists(st.one_of(edges, st.integers(-(2**24), 2**24 - 1)), min_size=1, max_size=12)


@given(
    currents(),
    st.integers(0, 4096),
    st.integers(0, 4096),
    st.integers(1, 2**23),
    st.integers(-(2**21), 2**21),
)
def test_the_step_equals_the_oracle(
    xs: list[int], current_decay: int, decay: int, threshold: int, bias: int
) -> None:
    neuron = lava_cuba(current_decay, decay, threshold, np.array([bias]))
    ops, state = neuron.ops(), neuron.initial_state(np.zeros(1, np.int32))
    history = []
    for x in xs:
        spikes, state = neuron.step(ops, state, np.array([x], np.int32))
        assert all(variable.dtype == np.int32 for variable in state)
        history.append((int(spikes[0]), int(state.u[0]), int(state.v[0])))
    assert history == oracle(xs, current_decay, decay, threshold, bias)


@pytest.mark.lava
def test_a_million_states_step_as_in_lavas_process_model() -> None:
    mend_lava()
    models = pytest.importorskip("lava.proc.lif.models")
    rng, size, edge = np.random.default_rng(0), 100_000, 2**23
    for _ in range(10):
        u, v = (rng.integers(1 - edge, edge + 1, size).astype(np.int32) for _ in range(2))
        v = np.minimum(v, edge - 1)
        a_in = rng.integers(-(2**18), 2**18, size).astype(np.int32)
        near = rng.integers(0, 2, size, dtype=bool)
        a_in[near] = (np.where(u >= 0, edge, -edge) - u)[near] // 64 + rng.integers(
            -2, 3, near.sum()
        )
        du, dv = (int(n) for n in rng.integers(0, 4096, 2))
        mantissa, threshold = rng.integers(-4096, 4096, size), int(rng.integers(0, 1 << 17))

        lava = models.PyLifModelBitAcc({})
        lava.u, lava.v, lava.du, lava.dv, lava.vth = u.copy(), v.copy(), du, dv, threshold
        lava.bias_mant, lava.bias_exp = mantissa.astype(np.int16), np.full(size, 6, np.int16)
        lava.scale_bias()
        lava.scale_threshold()
        lava.subthr_dynamics(a_in)
        fired = lava.spiking_activation()
        lava.reset_voltage(fired)

        neuron = lava_cuba(4096 - du - 1, 4096 - dv, threshold * 64 + 1, mantissa * 64)
        spikes, state = neuron.step(neuron.ops(), neuron.state_type(u, v), a_in * 64)
        assert 0 < fired.mean() < 1
        assert np.array_equal(spikes, fired)
        assert np.array_equal(state.u, lava.u)
        assert np.array_equal(state.v, lava.v)


@pytest.mark.lava
def test_the_registers_are_those_that_lava_declares() -> None:
    mend_lava()
    models = pytest.importorskip("lava.proc.lif.models")
    declared, model = models.PyLifModelBitAcc, models.PyLifModelBitAcc({})
    bits = {name: getattr(declared, name).precision for name in ("u", "v", "du", "dv", "vth")}
    assert bits["u"] == bits["v"] == model.uv_bitwidth == loihi.STATE.bits
    assert bits["du"] == bits["dv"] == model.decay_shift == loihi.FACTOR_BITS
    assert model.vth_shift == model.act_shift == loihi.STATE.frac_bits
    assert 2 ** bits["vth"] - 1 == loihi.THRESHOLD_LIMIT
    half = 2 ** (declared.bias_mant.precision - 1)
    assert (-half, half - 1) == (loihi.BIAS_LOW, loihi.BIAS_HIGH)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"current_decay": 2**16 + 1}, "current_decay of Cuba reaches"),
        ({"decay": -(2**16) - 1}, "decay of Cuba reaches"),
        ({"threshold": 2**24}, "threshold of Cuba reaches"),
        ({"bias": np.zeros(0, np.int32)}, "raw constants are integers"),
        ({"bias": np.full(2, 2**24)}, "bias of Cuba reaches"),
        ({"decay": 0.5}, "raw constants are integers"),
    ],
)
def test_impossible_constants_are_refused(changes: dict[str, Any], message: str) -> None:
    neuron = lava_cuba(0, 0, 1, np.zeros(2, np.int32))
    with pytest.raises(NetworkError, match=message):
        with_constants(neuron, **changes)


@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
def test_a_bias_that_does_not_fit_its_population_is_refused(shape: tuple[int, ...]) -> None:
    neuron, ones = lava_cuba(0, 0, 1, np.zeros(2)), np.ones(shape[0], int)
    with pytest.raises(NetworkError, match="does not fit"):
        Population("p", shape, neuron, ones, 0, ones)
