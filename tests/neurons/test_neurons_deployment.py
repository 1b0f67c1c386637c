"""Every neuron that a recipe can name is deployed with its own behaviour, or refused by name."""

import numpy as np
import pytest
import torch
from support.networks_small import images, quantized, randomise

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.core.real_neurons import (
    NumpyRealOps,
    RealArlif,
    RealClif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
)
from arlif.networks import NeuronConfig
from arlif.networks.neuron_choice import NEURONS, make_neuron
from arlif.neurons import DALIF, PLIF, AglLIF, LearnableResetLIF
from arlif.quantize import linearize
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

T, SHAPE = 6, (1, 8, 8)
NO_INTEGERS = {"psn", "psn-masked", "psn-sliding", "psn-mpe"}


def net(neuron):
    torch.manual_seed(0)
    convolution = [layers.Conv2d(1, 12, 3, padding=1), layers.BatchNorm2d(12)]
    head = [layers.Flatten(), layers.Linear(768, 10)]
    return randomise(torch.nn.Sequential(*convolution, layers.Repeat(T), neuron, *head))


def test_the_two_lists_name_every_neuron():
    assert set(NEURONS) > NO_INTEGERS


@pytest.mark.parametrize("name", [name for name in NEURONS if name not in NO_INTEGERS])
def test_integers_fire_as_the_trained_neuron_does(name):
    neuron = make_neuron(NeuronConfig(name, decay=0.7, v_threshold=0.4), T)
    with torch.no_grad():
        for parameter in neuron.parameters():
            parameter.mul_(0.8).add_(0.05)
    module = net(neuron)
    assert_fires_alike(quantized(module, SHAPE, time_steps=T), module)


def assert_fires_alike(network, module):
    x = images(SHAPE, 20, seed=3)
    with torch.no_grad():
        want = module[:4](x).numpy()
    raw = network.input.encode(x[0].numpy())
    got = reference.simulate(network, raw, T, Record(("3",))).traces["3"].spikes
    assert 0.05 < want.mean() < 0.95
    assert (np.asarray(got) == want).mean() > 0.985


@pytest.mark.parametrize("name", sorted(NO_INTEGERS))
def test_other_neurons_are_refused_with_the_reason(name):
    with pytest.raises(LoweringError, match=r"cannot be deployed|has no integer step"):
        quantized(net(make_neuron(NeuronConfig(name), T)), SHAPE, time_steps=T)


@pytest.mark.parametrize(
    "neuron", [PLIF(0.8, 0.3), DALIF(0.8, 0.3), LearnableResetLIF(0.8, 0.7), AglLIF(0.8, 0.7)]
)
def test_what_is_lowered_computes_the_same_in_real_numbers(neuron):
    x = torch.randn(8, 3, 50, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    neuron = neuron.double().eval()
    if isinstance(neuron, LearnableResetLIF):
        neuron.v_reset.data.fill_(0.45)
    if isinstance(neuron, DALIF):
        neuron.a.data.fill_(-0.7)
    population = linearize(net(neuron), SHAPE).populations[0]
    factor = neuron.lowered()[1]
    state, ops = population.neuron.initial_state(np.zeros((3, 50))), NumpyRealOps()
    with torch.no_grad():
        want = neuron(x).numpy()
    assert want.any()
    for now, spikes in zip(x.numpy() * factor, want, strict=True):
        fired, state = population.neuron.step(ops, state, now)
        assert np.array_equal(fired, spikes)


KINDS = {
    "arlif": RealArlif,
    "arlif-memoryless": RealArlif(memory=False),
    "lif-soft": RealLifSoft,
    "lif-asgl": RealLifHard,
    "lif-fpt": RealLifSoft,
    "lif-hard": RealLifHard,
    "lif-agl": RealLifHard,
    "plif": RealLifHard,
    "dalif": RealLifHard,
    "lif-learnable": RealLifSubtract(hold=0.0),
    "clif": RealClif,
}


@pytest.mark.parametrize("name", KINDS)
def test_a_neuron_is_deployed_as_its_kind(name):
    network = quantized(net(make_neuron(NeuronConfig(name), T)), SHAPE, time_steps=T)
    assert network.populations[0].neuron.is_a(KINDS[name])


def test_what_training_made_negative_stays_so_in_integers():
    """A decay below 0 has a weight beside it; a reset below 0 raises the potential."""
    decaying, growing = DALIF(0.5, 0.4), LearnableResetLIF(0.9, 0.4)
    decaying.b.data.fill_(-0.6)
    growing.v_reset.data.fill_(-0.25)
    for neuron, name, raw in ((decaying, "decay", -137), (growing, "amount", -64)):
        module = net(neuron)
        network = quantized(module, SHAPE, time_steps=T)
        assert network.populations[0].neuron.constants[name] == raw
        assert_fires_alike(network, module)
