"""The paper's ResNet-18 at CIFAR size becomes integers, with random weights and statistics."""

import numpy as np
import pytest
import torch
from support.networks_small import images, quantized, randomise

from arlif.core.execution import accumulate
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.core.real_neurons import NumpyRealOps
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, build
from arlif.quantize import linearize
from hw_sim.comparison.divergence import compare
from hw_sim.engines import lava
from hw_sim.engines.integer import reference
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Record

SHAPE, T = (3, 32, 32), 4


def resnet18() -> torch.nn.Module:
    torch.manual_seed(0)
    return randomise(
        build(NetworkConfig(PreActResNet(), NeuronConfig(), SHAPE, 10, T, static=True))
    )


def float_spikes(network: QuantizedNetwork, name: str, neuron, sent) -> np.ndarray:
    """A layer's float neurons on the currents that its quantized parameters stand for."""
    population = next(p for p in network.populations if p.name == name)
    one = population.neuron.state_format.one
    accumulator = accumulate(network, name, sent)
    gain = population.per_neuron(population.gain / 2.0**population.gain_shift)
    x = (accumulator * gain + population.per_neuron(population.bias)) / one
    state, spikes = neuron.initial_state(np.zeros_like(x)), []
    for _ in range(T):
        fired, state = neuron.step(NumpyRealOps(), state, x)
        spikes.append(fired)
    return np.stack(spikes)


@pytest.mark.slow
def test_resnet18_lowers_and_its_first_layer_agrees_with_float() -> None:
    net = resnet18()
    network = quantized(net, SHAPE, time_steps=T, samples=8)
    raw = network.input.encode(images(SHAPE, 8, seed=1)[0].numpy())
    engine = FastEngine(network)
    got = engine.simulate(raw, T, Record.everything(network, states=False))
    first = linearize(net, SHAPE).populations[0]
    want = float_spikes(network, first.name, first.neuron, {INPUT: raw})
    spikes = got.traces[first.name].spikes
    assert 0.02 < spikes.mean() < 0.6
    assert (spikes == want).mean() >= 0.99
    assert all(counts.mean() > 0 for counts in got.counts.values())


@pytest.mark.slow
def test_resnet18_fast_engine_equals_the_reference() -> None:
    network = quantized(resnet18(), SHAPE, time_steps=T, samples=2)
    raw = network.input.encode(images(SHAPE, 1, seed=1)[0].numpy())
    record = Record.everything(network)
    want = reference.simulate(network, raw, T, record)
    got = FastEngine(network).simulate(raw, T, record)
    np.testing.assert_array_equal(got.readout, want.readout)
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(got.traces[name].spikes, trace.spikes)
        for state, values in trace.states.items():
            np.testing.assert_array_equal(got.traces[name].states[state], values)


@pytest.mark.slow
@pytest.mark.lava
def test_resnet18_on_lava_equals_the_engine() -> None:
    network = quantized(resnet18(), SHAPE, time_steps=T, samples=2)
    raw = network.input.encode(images(SHAPE, 1, seed=1)[0].numpy())
    record = Record.everything(network)
    verdict = compare(
        network,
        FastEngine(network).simulate(raw, T, record),
        lava.simulate(network, raw, T, record),
    )
    assert verdict.equal, verdict.first
    assert len(verdict.layers) == len(network.populations)
