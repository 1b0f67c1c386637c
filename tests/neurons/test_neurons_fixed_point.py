"""FptLIF: probabilities and gradients by hand, LIF's spikes in the limit and once trained."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.errors import ArlifError
from arlif.neurons import LIF, FptLIF
from arlif.neurons.fixed_point import SLOPES
from arlif.neurons.recurrent import Recurrent


def sigma(z):
    return 1 / (1 + math.exp(-z))


def rounds(x, k, v):
    """z and p of every round for one neuron's currents, by the definition."""
    p, found = [0.0] * len(x), []
    for slope in SLOPES:
        z = []
        for i in range(len(x)):
            h = sum(k ** (i - j) * x[j] for j in range(i + 1))
            h -= v * sum(k ** (i - j) * p[j] for j in range(i))
            z.append((h - v) / v)
        p = [sigma(slope * value) for value in z]
        found.append((z, p))
    return found


def gradient(x, k, v, weights):
    """d(sum of weights p)/dx by hand, with the gentler slopes of the backward pass."""
    of_p, of_x = list(weights), [0.0] * len(x)
    for (z, _), slope in zip(reversed(rounds(x, k, v)), reversed(SLOPES), strict=True):
        b = max(1.0, slope / 3)
        of_z = [g * b * sigma(b * s) * (1 - sigma(b * s)) for g, s in zip(of_p, z, strict=True)]
        of_p = [0.0] * len(x)
        for i, g in enumerate(of_z):
            for j in range(i + 1):
                of_x[j] += g * k ** (i - j) / v
                of_p[j] -= g * k ** (i - j) if j < i else 0.0
    return of_x


CURRENTS = st.lists(st.floats(-3, 3), min_size=1, max_size=6)


@given(x=CURRENTS, k=st.floats(0, 1), v=st.floats(0.3, 2))
def test_probabilities_and_gradients_by_hand(x, k, v):
    neuron = FptLIF(k, v).train()
    currents = torch.tensor(x, dtype=torch.float64).view(-1, 1, 1).requires_grad_()
    p = neuron.probabilities(currents, SLOPES)
    assert p.flatten().tolist() == pytest.approx(rounds(x, k, v)[-1][1])
    weights = [1.0 + n for n in range(len(x))]
    torch.manual_seed(0)
    spikes = neuron(currents)
    (spikes.flatten() * torch.tensor(weights)).sum().backward()
    assert currents.grad.flatten().tolist() == pytest.approx(gradient(x, k, v, weights), abs=1e-9)


def test_spikes_are_drawn_with_the_probabilities():
    x = torch.full((3, 20_000, 1), 0.8)
    neuron = FptLIF(0.5, 1.0).train()
    torch.manual_seed(0)
    spikes = neuron(x)
    assert {*spikes.detach().unique().tolist()} == {0.0, 1.0}
    wanted = neuron.probabilities(x, SLOPES)[:, 0, 0].tolist()
    assert spikes.mean((1, 2)).tolist() == pytest.approx(wanted, abs=0.015)
    assert 0.05 < min(wanted) < max(wanted) < 0.95


@given(k=st.floats(0, 1), v=st.floats(0.3, 2), steps=st.integers(1, 8))
def test_a_threshold_in_place_of_the_sigmoid_ends_at_lif(k, v, steps):
    generator = torch.Generator().manual_seed(steps)
    x = torch.randn(steps, 2, 50, generator=generator, dtype=torch.float64) * 2
    steep = FptLIF(k, v).probabilities(x, [1e12] * steps)
    assert torch.equal(steep.round(), LIF(k, v, "soft")(x))


def test_once_trained_it_is_lif_and_continues():
    x = torch.randn(6, 4, 50, generator=torch.Generator().manual_seed(2)) * 2
    neuron, plain = FptLIF(0.5, 0.7).eval(), LIF(0.5, 0.7, "soft")
    assert torch.equal(neuron(x), plain(x))
    first, state = neuron(x[:2], return_state=True)
    assert torch.equal(torch.cat([first, neuron(x[2:], state)]), plain(x))


def test_while_training_there_is_no_state_and_no_loop():
    neuron = FptLIF().train()
    with pytest.raises(ArlifError, match="no state to continue"):
        neuron(torch.ones(2, 1, 3), return_state=True)
    with pytest.raises(ArlifError, match="FptLIF"):
        Recurrent(neuron, torch.nn.Linear(3, 3))
