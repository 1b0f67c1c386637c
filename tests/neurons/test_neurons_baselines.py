"""The neurons we compare with: plain Python oracles, and SpikingJelly's own implementations."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.neuron_oracles import CURRENTS, DECAYS, run, sigma

from arlif.base.errors import ArlifError
from arlif.neurons import (
    ARLIF,
    CLIF,
    DALIF,
    LIF,
    PLIF,
    PSN,
    AglLIF,
    AsglLIF,
    LearnableResetLIF,
    MaskedPSN,
    MpePSN,
    SlidingPSN,
)


def clif_oracle(xs, k, v):
    u = m = 0.0
    spikes = []
    for x in xs:
        h = k * u + x
        s = 1.0 if h >= v else 0.0
        m = m * sigma((1 - k) * h) + s
        u = h - s * (v + sigma(m))
        spikes.append(s)
    return spikes


def learnable_oracle(xs, k, v, amount):
    u, spikes = 0.0, []
    for x in xs:
        h = k * u + x
        s = 1.0 if h >= v else 0.0
        u = h - s * amount
        spikes.append(s)
    return spikes


def plif_oracle(xs, k, v):
    u, spikes = 0.0, []
    for x in xs:
        h = u + (1 - k) * (x - u)
        s = 1.0 if h >= v else 0.0
        u = 0.0 if s else h
        spikes.append(s)
    return spikes


@given(CURRENTS, DECAYS)
def test_clif_equals_its_equations(xs, k):
    assert run(CLIF(k, 0.7), xs) == clif_oracle(xs, k, 0.7)


@given(CURRENTS, DECAYS, st.floats(0.1, 2.0))
def test_learnable_reset_subtracts_its_own_amount(xs, k, amount):
    neuron = LearnableResetLIF(k, 0.7)
    neuron.v_reset.data.fill_(amount)
    assert run(neuron, xs) == learnable_oracle(xs, k, 0.7, neuron.v_reset.item())


@given(CURRENTS, DECAYS)
def test_plif_equals_its_equation(xs, k):
    neuron = PLIF(k, 0.3).double()
    assert run(neuron, xs) == plif_oracle(xs, neuron.decay.item(), 0.3)


def dalif_oracle(xs, alpha, beta, v):
    u, spikes = 0.0, []
    for x in xs:
        h = beta * u + alpha * x
        s = 1.0 if h >= v else 0.0
        u = 0.0 if s else h
        spikes.append(s)
    return spikes


@given(CURRENTS, st.floats(-2, 2), st.floats(-2, 2))
def test_dalif_equals_its_equation(xs, a, b):
    neuron = DALIF(v_threshold=0.3).double()
    neuron.a.data.fill_(a)
    neuron.b.data.fill_(b)
    assert run(neuron, xs) == dalif_oracle(xs, neuron.alpha.item(), neuron.beta.item(), 0.3)


@given(DECAYS)
def test_dalif_starts_where_plif_does(k):
    dalif, plif = DALIF(k), PLIF(k)
    assert math.isclose(dalif.beta.item(), plif.decay.item(), rel_tol=1e-6)
    assert math.isclose(dalif.alpha.item(), 1 - plif.decay.item(), rel_tol=1e-6)


def spikingjelly(name, *args, **settings):
    neurons = pytest.importorskip("spikingjelly.activation_based.neuron", exc_type=ImportError)
    return getattr(neurons, name)(*args, **settings)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("ours", "name", "args", "settings"),
    [
        (CLIF(0.5), "ComplementaryLIFNode", (), {"tau": 2.0, "step_mode": "m"}),
        (PLIF(0.5), "ParametricLIFNode", (), {"init_tau": 2.0, "step_mode": "m"}),
        (PSN(6), "PSN", (6,), {}),
        (MaskedPSN(6, 3), "MaskedPSN", (3, 6), {"lambda_init": 1.0, "step_mode": "m"}),
        (SlidingPSN(3), "SlidingPSN", (3,), {"step_mode": "m"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_spikes_equal_spikingjelly(ours, name, args, settings):
    torch.manual_seed(0)  # their weights are drawn, and some of them hardly ever fire
    theirs = spikingjelly(name, *args, **settings)
    if hasattr(ours, "weight"):
        ours.weight.data.copy_(theirs.weight.detach().view_as(ours.weight))
        ours.bias.data.copy_(theirs.bias.detach().view_as(ours.bias))
    x = torch.randn(6, 5, 40, generator=torch.Generator().manual_seed(1)) * 2
    got = ours(x)
    assert 0.02 < got.mean() < 0.98
    assert torch.equal(got, theirs(x))


@pytest.mark.parametrize(
    "neuron",
    [CLIF(), PLIF(), DALIF(), LearnableResetLIF(), PSN(4), SlidingPSN(), MpePSN(), AglLIF()],
)
def test_gradients_reach_inputs_and_parameters(neuron):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 200, 1, generator=generator).mul(2).requires_grad_()
    neuron(x).sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0
    for name, parameter in neuron.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.parametrize(
    "make",
    [
        lambda: CLIF(1.0),
        lambda: PLIF(0.0),
        lambda: PLIF(1.0),
        lambda: DALIF(0.0),
        lambda: DALIF(1.0),
        lambda: SlidingPSN(0),
        lambda: MpePSN(0.5, 0.0),
    ],
)
def test_constants_out_of_range_are_refused(make):
    with pytest.raises(ArlifError):
        make()


@pytest.mark.parametrize(("kind", "decay"), [(PLIF, 1e-9), (DALIF, 1e-9), (DALIF, 1 - 1e-9)])
def test_decays_without_a_finite_parameter_are_refused(kind, decay):
    with pytest.raises(ArlifError, match="too near 0 or 1 for float32"):
        kind(decay)
    for near in (1e-6, 1 - 1e-6):
        assert all(parameter.isfinite() for parameter in kind(near).parameters())


@pytest.mark.parametrize("neuron", [PSN(4), MaskedPSN(4), SlidingPSN(), AsglLIF(), MpePSN()])
def test_currents_that_are_none_are_refused(neuron):
    """Integers would round the weights to 0, and every spike with them."""
    with pytest.raises(ArlifError, match="floating-point"):
        neuron(torch.ones(4, 2, 3, dtype=torch.int64))
    for shape in [(4,), (0, 2, 3)]:
        with pytest.raises(ArlifError, match="at least one time step"):
            neuron(torch.ones(shape))


@pytest.mark.parametrize(
    "neuron", [ARLIF, LIF, AglLIF, AsglLIF, LearnableResetLIF, CLIF, PLIF, DALIF, MpePSN]
)
def test_every_neuron_has_the_same_rule_for_its_constants(neuron):
    for decay in (-0.1, 1.1, math.nan):
        with pytest.raises(ArlifError, match=r"lies in \[0, 1\]"):
            neuron(decay)
    for threshold in (0.0, math.nan):
        with pytest.raises(ArlifError, match="threshold must be positive"):
            neuron(0.5, threshold)


@pytest.mark.parametrize("neuron", [LIF, LearnableResetLIF])
def test_a_decay_of_one_integrates_and_fires(neuron):
    x = torch.full((4, 1, 1), 0.5)
    assert neuron(1.0).eval()(x).flatten().tolist() == [0.0, 1.0, 0.0, 1.0]
