"""The neurons we compare with: plain Python oracles, and SpikingJelly's own implementations."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.errors import ArlifError, LoweringError
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
from arlif.neurons.estimated import ESTIMATION_WEIGHT, take_estimation_errors
from arlif.training.loss import with_estimation

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


@pytest.mark.parametrize("neuron", [LIF, AsglLIF, LearnableResetLIF])
def test_a_decay_of_one_integrates_and_fires(neuron):
    x = torch.full((4, 1, 1), 0.5)
    assert neuron(1.0).eval()(x).flatten().tolist() == [0.0, 1.0, 0.0, 1.0]


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
