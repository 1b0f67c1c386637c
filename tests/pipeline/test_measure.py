"""A bench: what it simulates, counts and prices is what each part says by itself."""

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, images, quantized
from support.simulations import assert_equal

from arlif import layers
from arlif.core.network import QuantizedNetwork
from arlif.neurons import ARLIF
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.energy.catalogue import MODELS
from hw_sim.energy.counter import count
from hw_sim.energy.models import network_energy_uj
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, raw_inputs
from hw_sim.pipeline.measure import Bench

SAMPLES, TRACED = 9, 4
Case = tuple[QuantizedNetwork, torch.Tensor]


def frames() -> Case:
    """A network that takes a frame per time step, and recordings for it."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(layers.Linear(6, 8), ARLIF(), layers.Linear(8, 3))
    real = 4 * torch.rand(5, SAMPLES, 6)
    linear = linearize(net, (6,))
    return quantize(linear, calibrate_input(real, (6,), False), Precision(), 5), real


def stills() -> Case:
    """A network that takes one frame, and images for it."""
    return quantized(conv_net(), (1, 8, 8)), images((1, 8, 8), SAMPLES, seed=1)


@pytest.mark.parametrize("case", [frames, stills])
def test_a_bench_does_what_its_parts_do(case) -> None:
    network, real = case()
    steps, inputs = network.time_steps, raw_inputs(network, real)
    bench = Bench.of(network, real, [MODELS["paper"], MODELS["integer"]])
    whole = reference.simulate(network, inputs, steps, Record.everything(network))
    simulation = bench.simulate(TRACED)
    assert simulation.recorded == TRACED
    assert_equal(whole.first(TRACED), simulation.first(TRACED))
    np.testing.assert_array_equal(whole.readout, simulation.readout)
    assert bench.simulate().traces == {}
    assert bench.simulate(SAMPLES + 1).recorded == SAMPLES
    for some in (simulation, simulation.first(TRACED)):
        samples = len(some.readout)
        counts = count(network, network.input.part(inputs, slice(samples)), some, steps)
        cost = bench.cost(some)
        assert cost.synaptic_operations == counts.synaptic_operations.mean() > 0
        assert cost.energy_uj == {
            name: network_energy_uj(counts, MODELS[name]).mean() for name in ("paper", "integer")
        }
