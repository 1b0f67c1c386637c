"""Integrators between neurons are the neurons' current: exact in floats, and in integers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from support.integrators import Branches, between, flat, hard, integrator
from support.linearized_oracle import run
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.network import Input
from arlif.core.real_neurons import RealLifReset, RealSynaptic
from arlif.neurons.layer import NeuronLayer
from arlif.quantize import Precision, linearize, quantize
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import simulate
from hw_sim.engines.integer.reference import simulate as by_reference
from hw_sim.engines.simulation import Record

T, N = 30, 4


def reset(**constants: object) -> NeuronLayer:
    return NeuronLayer(RealLifReset(**constants))


FLAT: dict[str, Callable[[], nn.Module]] = {
    "weights, integrator": lambda: flat(integrator(), hard()),
    "leak and bias on either side": lambda: flat(integrator(0.1), layers.Linear(5, 4), hard()),
    "integrator, weights": lambda: nn.Sequential(integrator(), layers.Linear(6, 5), hard()),
    "integrator that leaks up, weights": lambda: nn.Sequential(
        integrator(0.05), layers.Linear(6, 5), hard()
    ),
    "a decay for each neuron": lambda: flat(integrator(between(5), between(5)), hard()),
    "current decay alone": lambda: flat(layers.Integrator(0.0, 0.1, 0.75), hard()),
    "no decay at all": lambda: flat(layers.Integrator(0.0, 0.1), arlif.ARLIF()),
    "never leaks": lambda: flat(layers.Integrator(1.0), hard(0.5, 2.0)),
    "a neuron that leaks and resets": lambda: flat(
        integrator(0.1),
        layers.Linear(5, 4),
        reset(decay=between(4), threshold=between(4), leak=between(4) - 0.5, reset=-between(4)),
    ),
    "scales": lambda: flat(layers.Scale(between(5)), integrator(0.1), layers.Scale(2.0), hard()),
    "delays": lambda: nn.Sequential(
        layers.Delay(1), integrator(), layers.Delay(2), layers.Linear(6, 5), hard()
    ),
    "two branches of one decay": lambda: Branches(integrator(0.1), integrator(), hard()),
    "two branches with biases behind": lambda: Branches(
        nn.Sequential(integrator(), layers.Linear(5, 5)),
        nn.Sequential(integrator(), layers.Linear(5, 5)),
        hard(),
    ),
    "between two layers": lambda: flat(
        hard(), layers.Linear(5, 6), integrator(), layers.Linear(6, 6), hard()
    ),
    "an integrator at the end too": lambda: flat(
        integrator(), hard(), layers.Linear(5, 3), layers.Scale(4.0), hard()
    ),
}
FRAMES: dict[str, Callable[[], nn.Module]] = {
    "convolution behind": lambda: nn.Sequential(
        integrator(), layers.Conv2d(2, 4, 3, padding=1), hard()
    ),
    "pools and norms behind": lambda: nn.Sequential(
        integrator(), layers.Conv2d(2, 4, 3), layers.BatchNorm2d(4), layers.AvgPool2d(2), hard()
    ),
    "norm of potentials": lambda: nn.Sequential(
        layers.Conv2d(2, 4, 3), integrator(0.1, between(4, 1, 1)), layers.BatchNorm2d(4), hard()
    ),
    "a factor for each pixel": lambda: nn.Sequential(
        layers.Conv2d(2, 4, 3), integrator(0.1), layers.Scale(between(4, 4, 4)), hard()
    ),
    "a bias behind and a factor for each pixel": lambda: nn.Sequential(
        layers.Conv2d(2, 4, 3),
        integrator(0.1),
        layers.BatchNorm2d(4),
        layers.Scale(between(4, 4, 4)),
        hard(),
    ),
    "norm of integrated spikes": lambda: nn.Sequential(
        layers.Conv2d(2, 4, 3), hard(), integrator(), layers.BatchNorm2d(4), hard()
    ),
    "a decay for each pixel, flat": lambda: nn.Sequential(
        integrator(0.0, between(2, 6, 6)), layers.Flatten(), hard()
    ),
    "a decay for each pixel": lambda: nn.Sequential(
        layers.Conv2d(2, 4, 3), integrator(0.1, between(4, 4, 4)), hard()
    ),
    "pool of spikes in front": lambda: nn.Sequential(
        layers.Conv2d(2, 4, 3, padding=1), hard(), layers.MaxPool2d(2), integrator(),
        layers.Conv2d(4, 4, 3), hard()
    ),
}  # fmt: skip


def prepared(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(1)
    net = make().eval().double()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.bias, -0.1, 0.3)
    return net, (torch.rand(T, N, *shape) < 0.5).double()


def flattened(net: nn.Module) -> nn.Module:
    return nn.Sequential(net, layers.Flatten())


@pytest.mark.parametrize("name", [*FLAT, *FRAMES])
def test_floats_do_what_the_layers_do(name: str) -> None:
    """The linearized network, in float64, against the torch layers step by step."""
    shape = (6,) if name in FLAT else (2, 6, 6)
    net, x = prepared((FLAT | FRAMES)[name], shape)
    net = net if name in FLAT else flattened(net)
    with torch.no_grad():
        want = net(x)
    got, _ = run(linearize(net, shape), x)
    assert 0.02 < want.mean() < 0.9
    assert want[5:].std(0).max() > 0
    assert torch.allclose(got, want, atol=1e-9)


WIDE = Precision(Numbers(FixedPointFormat(28, 13), factor_bits=16))


@pytest.mark.parametrize("name", sorted((FLAT | FRAMES).keys() - {"no decay at all"}))
def test_integers_differ_by_rounding_alone(name: str) -> None:
    """Wide integers, weights of 8 bits: few spikes of the last layer change.

    Not AR-LIF, whose tables want formats of their own.
    """
    shape = (6,) if name in FLAT else (2, 6, 6)
    net, x = prepared((FLAT | FRAMES)[name], shape)
    net = net if name in FLAT else flattened(net)
    with torch.no_grad():
        want = net(x).sum(0).numpy()
    linear = linearize(net, shape)
    source = Input(shape, 1.0, 0, 1, static=False)
    found = simulate(quantize(linear, source, WIDE, T), source.encode(x.numpy()), T)
    got = found.counts[linear.populations[-1].name].reshape(want.shape)
    assert np.abs(got - want).sum() <= 0.05 * want.sum()


def test_dyadic_numbers_are_exact() -> None:
    """Every weight, constant and potential is a sum of powers of two: no bit is lost."""
    torch.manual_seed(2)
    net = nn.Sequential(integrator(0.5), layers.Linear(6, 40), hard(0.5, 8.0), layers.Flatten())
    raw = torch.randint(-60, 128, (40, 6))
    raw[:, 0] = 127
    with torch.no_grad():
        net[1].weight.copy_(raw / 64)
        net[1].bias.copy_(torch.randint(-16, 17, (40,)) / 64)
    x = (torch.rand(6, 20, 6) < 0.5).double()
    v = u = 0.0
    want = []
    for now in x.numpy():
        v = 0.5 * v + now + 0.5
        current = v @ net[1].weight.detach().double().numpy().T + net[1].bias.detach().numpy()
        u = 0.5 * u + current
        want.append(u >= 8.0)
        u = u * ~want[-1]
    linear = linearize(net, (6,))
    source = Input((6,), 1.0, 0, 1, static=False)
    network = quantize(linear, source, WIDE, 6)
    for engine in (by_reference, simulate):
        found = engine(network, source.encode(x.numpy()), 6, Record.everything(network))
        assert np.array_equal(found.traces["2"].spikes, want)
    assert 0.05 < np.mean(want) < 0.9


def test_the_neuron_is_current_based() -> None:
    net = flat(integrator(0.25, 0.75), layers.Linear(5, 4), hard(0.5, 2.0)).double()
    (population,) = linearize(net, (6,)).populations
    bias = net[2].bias.detach().numpy()
    assert population.neuron == RealSynaptic(0.75, 0.5, 2.0, bias, 0.0)
    steady = net[2].weight @ (net[0].bias + 0.25)
    assert np.allclose(population.current.bias, steady.detach().numpy())


def test_unequal_decays_may_end_a_network() -> None:
    net = flat(integrator(0.1, between(5)), layers.Linear(5, 3)).double()
    readout = linearize(net, (6,)).readout
    gain = 1 / (1 - net[1].decay)
    weight = (net[2].weight * gain) @ net[0].weight
    bias = net[2].weight @ (gain * (net[0].bias + 0.1)) + net[2].bias
    assert np.allclose(readout.terms[0].weights.weight, weight.detach().numpy())
    assert np.allclose(readout.bias, bias.detach().numpy())


@pytest.mark.parametrize(("end", "last"), [(nn.Identity(), False), (layers.Integrator(1.0), True)])
def test_the_last_potential_is_read_of_the_last_layer_alone(end: nn.Module, last: bool) -> None:
    """A hidden integrator that never leaks does not change what is read of the network."""
    net = flat(layers.Integrator(1.0), hard(), layers.Linear(5, 3, bias=False), end).eval()
    x = (torch.rand(T, N, 6) < 0.5).float()
    with torch.no_grad():
        given = net(x).double()
    want = given[-1] if last else given.sum(0)
    assert np.array_equal(simulate_float(net, x).readout, want.numpy())


def test_a_readout_of_two_decays_is_their_sum_over_time() -> None:
    """A sample's potentials, summed until nothing is left of them, are what integers add up."""
    net = flat(layers.Integrator(0.75, 0.5, 0.25)).double()
    readout = linearize(net, (6,)).readout
    with torch.no_grad():
        x = torch.cat([torch.rand(1, 1, 6), torch.zeros(400, 1, 6)]).double()
        steady = net(torch.zeros_like(x))
        pulse = (net(x) - steady).sum(0)[0]
    assert np.allclose(readout.terms[0].weights.weight @ x[0, 0].numpy(), pulse.numpy())
    assert np.allclose(readout.bias, steady[-1, 0].numpy())
