"""Neurons that see all time steps at once: PSN and its kin, and MPE-PSN's estimate."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.neuron_oracles import CURRENTS, DECAYS, run, sigma

from arlif.base.errors import ArlifError, LoweringError
from arlif.neurons import (
    LIF,
    PSN,
    MaskedPSN,
    MpePSN,
    SlidingPSN,
)
from arlif.neurons.estimated import ESTIMATION_WEIGHT, take_estimation_errors
from arlif.training.loss import with_estimation


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


@pytest.mark.parametrize("neuron", [PSN(3), MaskedPSN(3), SlidingPSN(), MpePSN()])
def test_parallel_neurons_refuse_state_and_deployment(neuron):
    x = torch.zeros(3, 2, 4)
    with pytest.raises(ArlifError, match="no state"):
        neuron(x, return_state=True)
    with pytest.raises(LoweringError, match="cannot be deployed"):
        neuron.real_neuron()


def test_psn_of_another_t_is_refused():
    with pytest.raises(ArlifError, match="made for T = 3, not 4"):
        PSN(3)(torch.zeros(4, 1, 1))


@given(CURRENTS, DECAYS, st.integers(0, 1000))
def test_mpe_psn_equals_its_equations(xs, k, seed):
    neuron = MpePSN(k, 0.7).double()
    torch.manual_seed(seed)
    got = run(neuron, xs)
    torch.manual_seed(seed)
    drawn = torch.bernoulli(torch.tensor([[[sigma(v)]] for v in xs], dtype=torch.float64))
    estimates = [(1 - b) * x for b, x in zip(drawn.flatten().tolist(), xs, strict=True)]
    potentials = [k * e + x for e, x in zip([0.0, *estimates], xs, strict=False)]
    assert got == [1.0 if h >= neuron.threshold.item() else 0.0 for h in potentials]
    left = [0.0 if h >= neuron.threshold.item() else h for h in potentials]
    error = sum((e - u) ** 2 for e, u in zip(estimates, left, strict=True)) / len(xs) ** 2
    assert neuron.estimation_error.item() == pytest.approx(error, rel=1e-9)


def test_mpe_psn_drops_currents_as_often_as_sigma_says():
    """x = 0.8 stays below the threshold 1 alone, and reaches it where the step before was kept."""
    torch.manual_seed(0)
    spikes = MpePSN(1.0, 1.0)(torch.full((2, 20000), 0.8))
    assert not spikes[0].any()
    assert 1 - spikes[1].mean().item() == pytest.approx(sigma(0.8), abs=0.01)


def test_the_estimation_error_joins_the_loss():
    torch.manual_seed(0)
    net = torch.nn.Sequential(MpePSN(), torch.nn.Linear(3, 3), MpePSN())
    loss = torch.tensor(2.0, requires_grad=True)
    assert with_estimation(loss, LIF()) is loss
    assert take_estimation_errors(net) is None
    net.eval()(torch.randn(4, 5, 3))
    assert take_estimation_errors(net) is None
    net.train()(torch.randn(4, 5, 3))
    errors = sum(layer.estimation_error.item() for layer in (net[0], net[2]))
    total = with_estimation(loss, net)
    want = (1 - ESTIMATION_WEIGHT) * 2.0 + ESTIMATION_WEIGHT * errors
    assert total.item() == pytest.approx(want)
    assert take_estimation_errors(net) is None
    total.backward()
    assert float(net[1].weight.grad.abs().sum()) > 0
