"""The neurons we compare with: plain Python oracles, and SpikingJelly's own implementations."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif.errors import ArlifError, LoweringError
from arlif.neurons import (
    CLIF,
    LIF,
    PLIF,
    PSN,
    AsglLIF,
    LearnableResetLIF,
    MaskedPSN,
    SlidingPSN,
)

CURRENTS = st.lists(st.floats(-3, 3).filter(lambda v: abs(v) > 1e-3), min_size=1, max_size=12)
DECAYS = st.floats(0.05, 0.95)


def sigma(v):
    return 1 / (1 + math.exp(-v))


def run(neuron, xs):
    out = neuron.double()(torch.tensor(xs, dtype=torch.float64).view(-1, 1, 1))
    return out.flatten().tolist()


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
    theirs = spikingjelly(name, *args, **settings)
    if hasattr(ours, "weight"):
        ours.weight.data.copy_(theirs.weight.detach().view_as(ours.weight))
        ours.bias.data.copy_(theirs.bias.detach().view_as(ours.bias))
    x = torch.randn(6, 5, 40, generator=torch.Generator().manual_seed(1)) * 2
    got = ours(x)
    assert 0.02 < got.mean() < 0.98
    assert torch.equal(got, theirs(x))


def test_sliding_psn_is_the_impulse_response_of_lif_without_reset():
    taps = SlidingPSN(4).weights(6).detach().numpy()
    want = np.array(
        [[0.5 ** (t - j) if 0 <= t - j < 4 else 0.0 for j in range(6)] for t in range(6)]
    )
    assert np.array_equal(taps, want)


def test_masked_psn_is_causal_and_sees_order_steps():
    neuron = MaskedPSN(5, 2)
    weights = neuron.weights(5)
    for t in range(5):
        for j in range(5):
            assert bool(weights[t, j] != 0) == (t - 1 <= j <= t)


@pytest.mark.parametrize("neuron", [PSN(3), MaskedPSN(3), SlidingPSN()])
def test_parallel_neurons_refuse_state_and_deployment(neuron):
    x = torch.zeros(3, 2, 4)
    with pytest.raises(ArlifError, match="no state"):
        neuron(x, return_state=True)
    with pytest.raises(LoweringError, match="cannot be deployed"):
        neuron.real_neuron()


def test_psn_of_another_t_is_refused():
    with pytest.raises(ArlifError, match="made for T = 3, not 4"):
        PSN(3)(torch.zeros(4, 1, 1))


@pytest.mark.parametrize("neuron", [CLIF(), PLIF(), LearnableResetLIF(), PSN(4), SlidingPSN()])
def test_gradients_reach_inputs_and_parameters(neuron):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 200, 1, generator=generator).mul(2).requires_grad_()
    neuron(x).sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0
    for name, parameter in neuron.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.parametrize("make", [lambda: CLIF(1.0), lambda: PLIF(0.0), lambda: SlidingPSN(0)])
def test_constants_out_of_range_are_refused(make):
    with pytest.raises(ArlifError):
        make()


def test_asgl_is_plain_lif_once_trained():
    x = torch.randn(5, 4, 50, generator=torch.Generator().manual_seed(2)) * 2
    neuron = AsglLIF(0.5, 1.0, steepness=3.0).eval()
    assert torch.equal(neuron(x), LIF(0.5, 1.0, "soft")(x))


def test_asgl_mixes_smooth_values_in_and_learns_its_steepness():
    """One step: each value is the spike or sigma(a (x - v)); the gradient is sigma's everywhere."""
    x = torch.linspace(-1, 3, 400, dtype=torch.float64).view(1, 1, -1).requires_grad_()
    neuron = AsglLIF(0.5, 1.0, steepness=2.0).double().train()
    torch.manual_seed(0)
    out = neuron(x)
    soft = torch.sigmoid(2.0 * (x - 1.0))
    spikes = (x >= 1.0).double()
    is_soft = torch.isclose(out, soft)
    assert bool((is_soft | (out == spikes)).all())
    assert 0.35 < is_soft.double().mean() < 0.65
    out.sum().backward()
    assert torch.allclose(x.grad, 2.0 * soft * (1 - soft))
    want = ((x - 1.0) * soft * (1 - soft)).sum()
    assert torch.isclose(neuron.steepness.grad, want)
