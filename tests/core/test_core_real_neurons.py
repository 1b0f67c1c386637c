"""Every real neuron on numpy against its equation in plain Python, spike by spike."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.neuron_oracles import CURRENTS, DECAYS, sigma

from arlif.core.integer_neurons import PRESETS
from arlif.core.loihi import (
    ALIGNMENT,
    BIAS_HIGH,
    BIAS_LOW,
    FACTOR_BITS,
    STATE,
    STATE_LIMIT,
    THRESHOLD_LIMIT,
)
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import (
    NumpyRealOps,
    RealArlif,
    RealClif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)

Step = Callable[[float, float, float], tuple[bool, float, float]]
"""(u, second state, x) -> (spike, u, second state)."""
V, ALPHA, BETA, AMOUNT, HOLD, GAIN = 0.8, 0.7, -0.6, 1.1, 0.3, -0.9


def arlif(k: float, memory: bool) -> Step:
    def step(u: float, r: float, x: float) -> tuple[bool, float, float]:
        h, theta, gate = k * u + x, V + BETA * np.tanh(x), sigma(ALPHA * x)
        s = h >= theta
        kept = r * (gate if r >= 0 else 1 - gate) if memory else 0.0
        r = kept + (2 * s - 1) * sigma(x)
        return s, h - s * (theta + sigma(r)), r

    return step


def lif(k: float, after: Callable[[float], float], gain: float = 1.0, hold: float = 0.0) -> Step:
    """`after`: the membrane potential behind a spike."""

    def step(u: float, _: float, x: float) -> tuple[bool, float, float]:
        h = k * u + gain * x
        s = h - (hold if u >= V else 0.0) >= V
        return s, after(h) if s else h, 0.0

    return step


def clif(k: float) -> Step:
    """tau = 1 / (1 - k)"""

    def step(u: float, m: float, x: float) -> tuple[bool, float, float]:
        h = k * u + x
        s = h >= V
        m = m * sigma(h * (1 - k)) + s
        return s, h - s * (V + sigma(m)), m

    return step


NEURONS: dict[str, Callable[[float], tuple[Neuron, Step]]] = {
    "arlif": lambda k: (RealArlif(k, V, ALPHA, BETA), arlif(k, True)),
    "arlif without memory": lambda k: (RealArlif(k, V, ALPHA, BETA, False), arlif(k, False)),
    "soft": lambda k: (RealLifSoft(k, V), lif(k, lambda h: h - V)),
    "hard": lambda k: (RealLifHard(k, V), lif(k, lambda h: 0.0)),
    "subtract": lambda k: (
        RealLifSubtract(k, V, AMOUNT, HOLD),
        lif(k, lambda h: h - AMOUNT, hold=HOLD),
    ),
    "weighted": lambda k: (RealLifWeighted(k, V, GAIN), lif(k, lambda h: 0.0, GAIN)),
    "clif": lambda k: (RealClif(k, V), clif(k)),
}


@pytest.mark.parametrize("make", NEURONS.values(), ids=NEURONS)
@given(DECAYS, CURRENTS, st.booleans())
def test_a_real_neuron_is_its_equation(make: Any, k: float, xs: list[float], fed: bool) -> None:
    """`fed`: a constant current in front, which makes most neurons spike."""
    neuron, step = make(k)
    ops, state, want = NumpyRealOps(), neuron.initial_state(np.zeros(1)), (False, 0.0, 0.0)
    for x in [1.5] * 4 * fed + xs:
        spikes, state = neuron.step(ops, state, np.array([x]))
        want = step(want[1], want[2], x)
        assert bool(spikes[0]) == want[0]
        for got, value in zip(state, want[1:], strict=False):
            np.testing.assert_allclose(got, [value], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("neuron", [RealArlif(0.5, 0.0, 1.0, 0.0), RealLifSoft(0.5, 0.0)], ids=str)
def test_it_fires_on_the_threshold_itself(neuron: Neuron) -> None:
    spikes, _ = neuron.step(NumpyRealOps(), neuron.initial_state(np.zeros(1)), np.zeros(1))
    assert spikes.tolist() == [True]


def test_a_sigmoid_ends_in_0_and_1() -> None:
    np.testing.assert_array_equal(NumpyRealOps().sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])


def test_the_presets_and_the_registers_of_loihi_are_those_of_the_documents() -> None:
    """docs/numerics.md and lava.proc.lif: what others' files rely on."""
    found = {
        name: (n.state_format.bits, n.state_format.frac_bits, n.factor_bits, n.tables.entries)
        for name, n in PRESETS.items()
    }
    assert found == {"compact16": (16, 8, 8, 256), "loihi24": (24, 12, 12, 256)}
    assert {(n.tables.low, n.tables.high) for n in PRESETS.values()} == {(-8.0, 8.0)}
    assert (STATE.bits, STATE_LIMIT, ALIGNMENT, FACTOR_BITS) == (24, 2**23 - 1, 64, 12)
    assert (THRESHOLD_LIMIT, BIAS_LOW, BIAS_HIGH) == (131_071, -4096, 4095)
