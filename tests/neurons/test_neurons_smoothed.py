"""AglLIF and AsglLIF: plain LIF once trained, with gradients of their own."""

import math

import pytest
import torch

from arlif.neurons import (
    LIF,
    AglLIF,
    AsglLIF,
)


def test_asgl_is_plain_lif_once_trained():
    x = torch.randn(5, 4, 50, generator=torch.Generator().manual_seed(2)) * 2
    neuron = AsglLIF(0.5, 1.0, steepness=3.0).eval()
    assert torch.equal(neuron(x), LIF(0.5, 1.0, "hard")(x))


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
    assert 0.1 < is_soft.double().mean() < 0.3
    out.sum().backward()
    assert torch.allclose(x.grad, 2.0 * soft * (1 - soft))
    want = ((x - 1.0) * soft * (1 - soft)).sum()
    assert torch.isclose(neuron.steepness.grad, want)


def test_asgl_draws_anew_at_every_step():
    """Currents that fire without memory: who passes on the smooth value changes from step to step.

    A full step of 1 or a smooth one that is near it resets the potential by as much.
    """
    x = torch.full((20, 1, 500), 1.3, dtype=torch.float64)
    neuron = AsglLIF(0.5, 1.0, steepness=2.0).double().train()
    torch.manual_seed(0)
    smooth = neuron(x) != 1
    assert 0.1 < smooth.double().mean() < 0.3
    ever = smooth.any(0).double().mean()
    assert ever > 0.95


def test_asgl_and_agl_learn_their_decay():
    x = torch.randn(6, 4, 50, generator=torch.Generator().manual_seed(2)) * 2
    for neuron in (AsglLIF(0.2, 0.5), AglLIF(0.2, 0.5)):
        assert neuron.learned()["decay"].item() == pytest.approx(0.2)
        neuron.train()(x).sum().backward()
        assert neuron.w.grad.item() != 0


def agl_gradient(x, scales, k, v):
    """d(sum of w s)/dx of LIF with hard reset by hand, [T, N, C] lists; w = 1, 2, 3, ..."""
    width = 2 * sum(scales) / len(scales)
    widths = [width] + [width * math.sqrt(1 + k * k)] * (len(x) - 1)
    steps = range(len(x))
    grad = [0.0] * len(x)
    h, s, u = [], [], 0.0
    for now in x:
        h.append(k * u + now)
        s.append(1.0 if h[-1] >= v else 0.0)
        u = (1 - s[-1]) * h[-1]
    du = 0.0  # gradient of the potential that a step leaves behind
    for t in reversed(steps):
        slope = (1.0 if abs(h[t] - v) <= widths[t] / 2 else 0.0) / widths[t]
        dh = du * (1 - s[t]) + ((t + 1) - du * h[t]) * slope
        grad[t], du = dh, k * dh
    return grad


@pytest.mark.parametrize("k", [0.2, 0.5])
def test_agl_takes_its_widths_from_the_batch_norm_before_it(k):
    """Theorems 1 and 2 of the paper: the scales of the batch norm, and 1 + k^2 from step 2 on."""
    generator = torch.Generator().manual_seed(4)
    norm = torch.nn.BatchNorm1d(5).double()
    norm.weight.data = torch.rand(5, generator=generator).double() + 0.3
    raw = torch.randn(4, 30, 5, generator=generator, dtype=torch.float64)
    x = norm(raw.flatten(0, 1)).unflatten(0, (4, 30)).detach().requires_grad_()
    weights = torch.arange(1.0, 5.0).view(4, 1, 1)
    neuron = AglLIF(k, 0.5).double()
    (neuron(x) * weights).sum().backward()
    assert float(x.grad.abs().sum()) > 0
    for n in range(30):
        for c in range(5):
            column = x[:, n, c].tolist()
            want = agl_gradient(column, norm.weight.tolist(), k, 0.5)
            assert x.grad[:, n, c].tolist() == pytest.approx(want, rel=1e-4, abs=1e-4)


def test_agl_fires_as_lif_with_hard_reset_and_continues():
    x = torch.randn(5, 4, 6, 3, generator=torch.Generator().manual_seed(2)) * 2
    plain = LIF(0.5, 0.7, "hard")
    for neuron in (AglLIF(0.5, 0.7).train(), AglLIF(0.5, 0.7).eval()):
        assert torch.equal(neuron(x), plain(x))
        first, state = neuron(x[:1], return_state=True)
        others, _ = neuron(x[1:], state, return_state=True)
        assert torch.equal(torch.cat([first, others]), plain(x))
    assert AglLIF()(torch.ones(3, 2)).shape == (3, 2)
