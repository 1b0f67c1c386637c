"""Our ARLIF for snnTorch behaves like a neuron of snnTorch, and its networks convert exactly."""

import numpy as np
import pytest
import snntorch
import snntorch.surrogate
import snntorch.utils
import torch
from support.other_libraries import events
from support.simulations import as_integers
from support.snntorch_networks import CASES, adaptive, leaky, network, run, train
from torch import nn

import arlif.interop.snntorch
from arlif.base.errors import ArlifError, LoweringError
from arlif.neurons import ARLIF


@pytest.mark.parametrize("case", CASES)
def test_trained_networks_convert_exactly(case: str) -> None:
    x = events(steps=16)
    net = network(CASES[case])
    train(net, x)
    net.eval()
    with torch.no_grad():
        want = run(net, x)
        ours = arlif.interop.snntorch.to_arlif(net)
        got = ours(x)
    assert want.mean() > 1e-3
    assert torch.equal(want, got)
    integers, spikes = as_integers(ours, x, "8")
    assert [p.name for p in integers.populations] == ["2", "5_1", "8"]
    assert np.mean(spikes != want.numpy().astype(bool)) < 0.2


def test_parameters_are_shared_until_quantized() -> None:
    net = network(adaptive)
    ours = arlif.interop.snntorch.to_arlif(net)
    assert ours.get_submodule("0").weight is net[0].weight


def test_one_step_per_call_with_states_passed_around() -> None:
    neuron, x = arlif.interop.snntorch.ARLIF(), torch.randn(12, 3, 5)
    r = mem = None
    spikes = []
    for frame in x:
        spk, r, mem = neuron(frame, r, mem)
        spikes.append(spk)
    want, state = ARLIF()(x, return_state=True)
    assert torch.equal(torch.stack(spikes), want)
    assert torch.allclose(mem, state.u, atol=1e-5)
    assert torch.allclose(r, state.r, atol=1e-5)


def test_hidden_states() -> None:
    x = torch.randn(3, 5)
    hidden = arlif.interop.snntorch.ARLIF(init_hidden=True)
    assert hidden(x).shape == (3, 5)
    with pytest.raises(TypeError, match="init_hidden"):
        hidden(x, None, torch.zeros(3, 5))
    shown = arlif.interop.snntorch.ARLIF(init_hidden=True, output=True)
    assert len(shown(x)) == 3
    assert hidden(torch.randn(2, 4)).shape == (2, 4)  # another batch starts anew


def test_reset_reaches_what_snntorch_passes_over() -> None:
    net = nn.Sequential(nn.Sequential(adaptive(), leaky(0.9, "zero", True)()))
    net(torch.ones(2, 3))
    neuron, plain = net[0]
    assert neuron.r.any()
    assert plain.mem.any()
    snntorch.utils.reset(net)
    assert neuron.r.any()  # the trap: neither nested modules nor other classes
    arlif.interop.snntorch.reset(net)
    assert not neuron.r.any()
    assert not neuron.mem.any()
    assert not plain.mem.any()


def test_states_detach_between_batches() -> None:
    net = nn.Sequential(nn.Linear(4, 4), adaptive())
    for _ in range(2):
        arlif.interop.snntorch.reset(net)
        net(torch.ones(2, 4)).sum().backward()
    net(torch.ones(2, 4))
    net[1].detach_mem()
    assert not net[1].mem.requires_grad


@pytest.mark.parametrize("flag", ["decay", "threshold", "alpha", "beta"])
def test_learned_constants(flag: str) -> None:
    names = {"alpha": "alpha_raw", "beta": "beta_raw"}
    flags = {f"learn_{name}": name == flag for name in ("decay", "threshold", "alpha", "beta")}
    neuron = arlif.interop.snntorch.ARLIF(**flags)
    assert [name for name, _ in neuron.named_parameters()] == [names.get(flag, flag)]
    x = torch.full((4, 3), 0.6)
    r = mem = None
    total = 0
    for _ in range(5):
        spk, r, mem = neuron(x, r, mem)
        total = total + spk.sum() + mem.sum()
    total.backward()
    (gradient,) = (p.grad for p in neuron.parameters())
    assert torch.isfinite(gradient)
    assert gradient != 0


def test_the_surrogate_is_the_one_given() -> None:
    gradients = []
    for slope in (1, 25):
        x = torch.full((1, 1), 0.6, requires_grad=True)
        grad = snntorch.surrogate.fast_sigmoid(slope)
        spk, _, _ = arlif.interop.snntorch.ARLIF(spike_grad=grad)(x)
        spk.sum().backward()
        gradients.append(float(x.grad))
    assert gradients[0] == pytest.approx(1 / (1 + 0.4) ** 2, rel=1e-4)
    assert gradients[1] == pytest.approx(1 / (1 + 25 * 0.4) ** 2, rel=1e-4)


def test_a_potential_at_the_threshold() -> None:
    one = torch.ones(1, 1)
    assert arlif.interop.snntorch.ARLIF()(one)[0] == 1
    quiet = nn.Sequential(leaky(0.5, "zero", True)())
    quiet[0].threshold.data.fill_(1)
    assert run(quiet, one[None]) == 0
    assert arlif.interop.snntorch.to_arlif(quiet)(one[None]) == 0


def with_other_weights(late: bool, hidden: bool = False) -> nn.Module:
    """A neuron that resets to zero, with what one that subtracts has saved."""
    made = snntorch.Leaky(0.5, reset_mechanism="zero", reset_delay=late, init_hidden=hidden)
    net = nn.Sequential(made)
    net.load_state_dict(nn.Sequential(snntorch.Leaky(0.5)).state_dict())
    return net


def test_weights_of_another_reset_change_nothing_where_it_is_late() -> None:
    torch.manual_seed(0)
    net, x = with_other_weights(True, hidden=True), torch.rand(20, 8)
    assert torch.equal(run(net, x), arlif.interop.snntorch.to_arlif(net)(x))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            with_other_weights(False),
            "made with reset_mechanism='zero', and what it loaded says 'subtract'",
        ),
        (
            nn.Sequential(nn.ReLU(), nn.Sequential(nn.LayerNorm(2))),
            r"0 \(ReLU\): .*1.0 \(LayerNorm",
        ),
        (nn.Linear(2, 2), "cannot convert Linear, .* without an example"),
        (nn.Sequential(snntorch.Alpha(0.6, 0.5)), r"0 \(Alpha\): .*use Synaptic"),
        (nn.Sequential(snntorch.Leaky(0.5, graded_spikes_factor=2.0)), "graded"),
        (nn.Sequential(snntorch.Leaky(0.5, state_quant=torch.round)), "state_quant"),
        (
            nn.Sequential(snntorch.RSynaptic(0.5, 0.5, linear_features=2, reset_delay=False)),
            "leave it at True",
        ),
        (
            nn.Sequential(
                snntorch.Leaky(0.5, threshold=-1.0, reset_mechanism="zero", reset_delay=False)
            ),
            "thresholds of 0 or more",
        ),
    ],
)
def test_what_does_not_convert_is_named(net: nn.Module, message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        arlif.interop.snntorch.to_arlif(net)


def test_constants_out_of_range() -> None:
    with pytest.raises(ArlifError, match="alpha lies in"):
        arlif.interop.snntorch.ARLIF(alpha=1.5)
    with pytest.raises(ArlifError, match="beta lies between"):
        arlif.interop.snntorch.ARLIF(beta=1.0)


@pytest.mark.parametrize("threshold", [0.7, 1.0])
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_a_subtraction_at_once_is_exact_at_its_thresholds(beta: float, threshold: float) -> None:
    """Potentials of v and, held, of 2 v stay silent."""
    torch.manual_seed(0)
    x = torch.randint(-2, 4, (200, 50)) * torch.tensor(threshold) / 2
    leaky = snntorch.Leaky(beta, threshold, init_hidden=True, reset_delay=False)
    net = nn.Sequential(leaky)
    assert torch.equal(run(net, x).detach(), arlif.interop.snntorch.to_arlif(net)(x))
