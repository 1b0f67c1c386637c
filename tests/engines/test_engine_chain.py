"""Layers in a row go from kernel to kernel, and give what any other way gives."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, images, quantized, randomise
from support.simulations import assert_equal
from torch import nn

from arlif import ARLIF, LIF, layers
from arlif.core.maps import Dense
from arlif.core.network import INPUT, Projection, QuantizedNetwork
from arlif.kernels.build import library
from hw_sim.engines.integer import reference
from hw_sim.engines.integer.compiled_network import CompiledNetwork
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.integer.in_a_row import Chain
from hw_sim.engines.simulation import raw_inputs

STEPS = 5


def dense(static: bool) -> nn.Module:
    """Without pictures; where inputs change over time, the first layer sees each."""
    first = [layers.Linear(9, 12), *([layers.Repeat(STEPS)] if static else [])]
    net = nn.Sequential(*first, LIF(), layers.Linear(12, 6), ARLIF(), layers.Linear(6, 3))
    for parameter in net.parameters():
        nn.init.uniform_(parameter, -0.3, 1)
    return net


def depthwise() -> nn.Module:
    """Every kind of kernel: products, tables, one for each channel, pools; a stride."""
    torch.manual_seed(0)
    net = nn.Sequential(
        *(layers.Conv2d(2, 8, 3, padding=1), layers.BatchNorm2d(8), ARLIF()),
        *(layers.Conv2d(8, 8, 3, padding=1, groups=8), layers.BatchNorm2d(8), LIF()),
        *(layers.AvgPool2d(2), layers.Conv2d(8, 16, 3, stride=2), layers.BatchNorm2d(16), LIF()),
        *(layers.Flatten(), layers.Linear(16 * 3 * 3, 4)),
    )
    return randomise(net)


NETWORKS = {
    "static pictures": (lambda: conv_net(STEPS), (1, 8, 8)),
    "pictures over time": (depthwise, (2, 14, 14)),
    "static features": (lambda: dense(True), (9,)),
    "features over time": (lambda: dense(False), (9,)),
}


def network_and_inputs(name: str) -> tuple[QuantizedNetwork, np.ndarray]:
    make, shape = NETWORKS[name]
    torch.manual_seed(1)
    network = quantized(make(), shape, time_steps=STEPS)
    steps = 1 if network.input.static else STEPS
    real = torch.cat([images(shape, 7, seed=step) for step in range(steps)])
    return network, raw_inputs(network, real)


@pytest.mark.skipif(library() is None, reason="no C++ compiler here")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_chain_is_the_reference(name: str, threads: int) -> None:
    network, raw = network_and_inputs(name)
    want = reference.simulate(network, raw, STEPS)
    assert all(counts.any() for counts in want.counts.values())
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        engine = FastEngine(network, block_elements=network_size(network) * STEPS * 3)
        assert Chain.of(engine.compiled, STEPS) is not None
        for _ in range(2):  # in memory that is used again, and in three blocks of samples
            assert_equal(want, engine.simulate(raw, STEPS))
    finally:
        torch.set_num_threads(before)


def network_size(network: QuantizedNetwork) -> int:
    """Neurons of the largest population."""
    return max(int(np.prod(p.shape)) for p in network.populations)


@pytest.mark.parametrize("change", ["delay", "shift", "source"])
def test_what_is_more_than_layers_in_a_row_is_no_chain(change: str) -> None:
    network, _ = network_and_inputs("static features")
    first, second, last = network.projections
    zeros = Dense(np.zeros((6, 9), np.int8))
    changed = {
        "delay": (first, replace(second, delay=1), last),
        "shift": (first, replace(second, shift=1), last),
        "source": (first, second, Projection(INPUT, second.target, (zeros,)), last),
    }[change]
    other = replace(network, projections=changed)
    assert Chain.of(CompiledNetwork(network), STEPS) is not None or library() is None
    assert Chain.of(CompiledNetwork(other), STEPS) is None
