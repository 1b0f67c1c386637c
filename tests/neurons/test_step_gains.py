"""TEBN: a norm with a gain for each time step, in plain numpy; and its gains in integers."""

import numpy as np
import pytest
import torch
from support.networks_small import images, net_with_gains, quantized, randomise

from arlif import layers
from arlif.base.errors import ArlifError, LoweringError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.real_neurons import RealArlif, RealLifSoft
from arlif.core.step_gains import MOST_GAINS, with_step_gains
from arlif.core.tables import TableDomain
from arlif.networks import NetworkConfig, PreActResNet, Stack, build
from arlif.networks.neuron_choice import NeuronConfig
from arlif.neurons import ARLIF, LIF
from arlif.quantize import linearize
from arlif.quantize.neuron_constants import to_integer
from arlif.training import load_recipe
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record

GAINS = [0.75, 1.25, 0.5, 1.0]
SHAPE = (1, 8, 8)


def tebn(channels: int) -> torch.nn.Sequential:
    """The norm as two layers."""
    return torch.nn.Sequential(layers.BatchNorm2d(channels), layers.StepGain(len(GAINS)))


def test_it_is_the_norm_of_the_paper():
    """Duan et al. 2022: p[t] (gamma (x - mean) / sqrt(var + eps) + beta), var over T, N, H, W."""
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(1, 2, (4, 3, 5, 6, 7)), rng.normal(1, 1, 5), rng.normal(0, 1, 5)
    norm = tebn(5).double()
    with torch.no_grad():
        norm[0].weight.copy_(torch.tensor(weight))
        norm[0].bias.copy_(torch.tensor(bias))
        norm[1].gain.copy_(torch.tensor(GAINS))
    given = torch.tensor(x, requires_grad=True)
    got = norm(given)
    each = np.moveaxis(x, 2, 0).reshape(5, -1)
    mean, var = each.mean(1), each.var(1)
    at = (None, None, slice(None), None, None)
    normed = weight[at] * (x - mean[at]) / np.sqrt(var[at] + 1e-5) + bias[at]
    want = np.array(GAINS).reshape(4, 1, 1, 1, 1) * normed
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-10, atol=1e-12)
    (got * torch.tensor(x)).sum().backward()
    np.testing.assert_allclose(norm[1].gain.grad.numpy(), (normed * x).sum((1, 2, 3, 4)), rtol=1e-9)


def test_gains_start_at_1_and_are_for_so_many_steps():
    x = torch.randn(4, 2, 3)
    assert torch.equal(layers.StepGain(4)(x), x)
    with pytest.raises(ArlifError, match="gains for 4 time steps, not 1; put Repeat in front"):
        layers.StepGain(4)(x[:1])
    with pytest.raises(ArlifError, match="at least 1 time step, not 0"):
        layers.StepGain(0)


@pytest.mark.parametrize("neuron", [ARLIF(0.5, 0.4), LIF(0.75, 0.4), LIF(0.75, 0.4, "hard")])
def test_integers_fire_as_the_network_with_gains_does(neuron):
    net = net_with_gains(neuron, GAINS)
    network = quantized(net, SHAPE, time_steps=4)
    x = images(SHAPE, 20, seed=3)
    with torch.no_grad():
        want = net[:5](x).numpy()
    raw = network.input.encode(x[0].numpy())
    record = Record(("4",))
    got, other = (e.simulate(network, raw, 4, record).traces["4"] for e in (reference, fast))
    assert np.array_equal(np.asarray(got.spikes), np.asarray(other.spikes))
    assert 0.05 < want.mean() < 0.95
    assert (np.asarray(got.spikes) == want).mean() > 0.985
    plain = torch.nn.Sequential(*net[:3], *net[4:])
    before = quantized(plain, SHAPE, time_steps=4)
    without = reference.simulate(before, raw, 4, Record(("3",))).traces["3"].spikes
    assert (np.asarray(without) == want).mean() < 0.97


def test_integers_are_the_other_neuron_on_multiplied_currents():
    """By hand: raw x times the raw gain of the step, divided by 256 toward zero."""
    real = RealArlif(0.5, 1.0, 0.75, -0.25)
    with_gains, plain = (
        to_integer(with_step_gains(real, GAINS), Numbers()),
        to_integer(real, Numbers()),
    )
    ours, theirs = (n.initial_state(np.zeros(500, np.int32)) for n in (with_gains, plain))
    rng = np.random.default_rng(1)
    for step in range(7):
        x = rng.integers(-900, 900, 500).astype(np.int32)
        factor = round(256 * GAINS[min(step, 3)])
        gained = (np.sign(x) * (np.abs(x) * factor // 256)).astype(np.int32)
        spikes, ours = with_gains.step(with_gains.ops(), ours, x)
        want, theirs = plain.step(plain.ops(), theirs, gained)
        assert np.array_equal(spikes, want)
        assert np.array_equal(ours.u, theirs.u)
        assert np.array_equal(ours.r, theirs.r)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 32, 64])
def test_every_step_has_its_own_gain(count):
    gains = [(7 * step % 11 + 1) / 8 for step in range(count)]
    neuron = to_integer(with_step_gains(RealLifSoft(0.0, 100.0), gains), Numbers())
    state, found = neuron.initial_state(np.zeros(1, np.int32)), []
    for _ in range(count):
        _, state = neuron.step(neuron.ops(), state, np.full(1, 256, np.int32))
        found.append(int(state.u[0]) / 256)
    assert found == gains


def test_equal_gains_go_into_the_weights():
    network = quantized(net_with_gains(LIF(0.75, 0.4), [0.5] * 4), SHAPE, time_steps=4)
    assert network.populations[0].neuron.is_a(RealLifSoft)


def test_what_tables_or_steps_cannot_hold_is_refused():
    narrow = Numbers(FixedPointFormat(16, 8), 8, TableDomain(64, -4.0, 4.0))
    many = with_step_gains(RealLifSoft(), [1.0, 2.0] * 32)
    with pytest.raises(LoweringError, match="64 time steps needs tables with a cell for each, of "):
        to_integer(many, narrow)
    with pytest.raises(LoweringError, match=f"up to {MOST_GAINS} gains, one a time step, not 300"):
        with_step_gains(RealLifSoft(), [1.0] * 300)
    summed = torch.nn.Sequential(
        *net_with_gains(LIF(), GAINS)[:4], layers.Flatten(), layers.Linear(768, 10)
    )
    with pytest.raises(LoweringError, match="only a neuron, directly behind StepGain"):
        linearize(torch.nn.Sequential(*summed[:4], layers.BatchNorm2d(12), LIF()), SHAPE)
    with pytest.raises(ArlifError, match="leave out step_gains or recurrent"):
        Stack(hidden=(4,), recurrent=True, step_gains=True)
    changes = {"architecture.step_gains": True, "stages": [{"epochs": 1, "time_steps": 2}]}
    with pytest.raises(ArlifError, match="leave out stages or step_gains"):
        load_recipe("digits", changes)


@pytest.mark.parametrize(
    ("architecture", "norms"),
    [
        (Stack((4, "pool", 6), (8,), step_gains=True), 3),
        (PreActResNet((4, 6), (1, 1), step_gains=True), 5),
    ],
)
def test_networks_with_gains_build_and_become_integers(architecture, norms):
    torch.manual_seed(0)
    config = NetworkConfig(architecture, NeuronConfig("lif-soft"), SHAPE, 3, 4, True)
    net = build(config)
    gains = [layer for layer in net.modules() if isinstance(layer, layers.StepGain)]
    assert len(gains) == norms
    with torch.no_grad():
        for layer in gains:
            layer.gain.copy_(torch.tensor(GAINS))
    net(torch.rand(1, 3, *SHAPE)).sum().backward()
    assert all(layer.gain.grad.abs().sum() > 0 for layer in gains)
    network = quantized(randomise(net), SHAPE, time_steps=4)
    kinds = {p.neuron.name for p in network.populations}
    assert kinds == {"SteppedLifSoft"}
