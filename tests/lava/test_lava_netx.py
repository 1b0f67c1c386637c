"""Stock Lava, unmodified but for the hook, loads plain LIF networks and spikes alike."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.places import SUPPORT
from support.strategies import inputs_for, networks
from support.strategies_stock import stock_networks

from arlif import LIF, layers
from arlif.core.integer_neurons import IntegerLifSoft
from arlif.core.maps import Dense
from arlif.core.network import Projection
from arlif.quantize import calibrate_input, linearize, quantize_for_stock_lava
from export.lava import stock_obstacles, write_net
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record

SCRIPT = SUPPORT / "stock_netx.py"


def assert_stock_lava_agrees(cases, root):
    for index, (network, inputs) in enumerate(cases):
        folder = root / str(index)
        folder.mkdir()
        steps, static = network.time_steps, network.input.static
        frames = np.repeat(inputs[:, None], steps, 1) if static else np.swapaxes(inputs, 0, 1)
        np.save(folder / "frames.npy", frames)
        write_net(network, folder / "network.net")
    folders = sorted(root.iterdir())
    command = [sys.executable, str(SCRIPT), *map(str, folders)]
    subprocess.run(command, check=True, timeout=900, capture_output=True)
    for index, (network, inputs) in enumerate(cases):
        want = simulate(network, inputs, network.time_steps, Record.everything(network))
        with np.load(root / str(index) / "out.npz") as got:
            for layer, population in enumerate(network.populations):
                spikes = np.swapaxes(want.traces[population.name].spikes, 0, 1)
                np.testing.assert_array_equal(got[f"layer{layer}"], spikes)
            bias = network.time_steps * network.readout.bias.astype(np.int64)
            np.testing.assert_array_equal(got["readout"], 64 * (want.readout - bias))


@st.composite
def stock_cases(draw):
    network = draw(stock_networks(cuba=draw(st.booleans())))
    return network, draw(inputs_for(network, network.time_steps, 2))


@pytest.mark.lava
@settings(max_examples=2, derandomize=True, database=None, phases=[Phase.generate])
@given(st.lists(stock_cases(), min_size=2, max_size=2))
def test_stock_netx_spikes_like_the_reference(tmp_path_factory, cases):
    assert_stock_lava_agrees(cases, tmp_path_factory.mktemp("netx"))


@pytest.mark.lava
def test_a_torch_network_runs_on_stock_lava(tmp_path):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        layers.Conv2d(1, 4, 3, padding=1),
        layers.BatchNorm2d(4),
        layers.Repeat(4),
        LIF(reset="hard"),
        layers.AvgPool2d(2),
        layers.Conv2d(4, 4, 3, padding=1),
        layers.BatchNorm2d(4),
        LIF(reset="hard"),
        layers.AvgPool2d(2),
        layers.Flatten(),
        layers.Linear(16, 10),
    )
    images = torch.rand(1, 64, 1, 8, 8)
    net(images)
    linear = linearize(net, (1, 8, 8))
    source = calibrate_input(images, linear.input_shape, linear.static)
    network = quantize_for_stock_lava(linear, source, 4)
    assert not stock_obstacles(network)
    assert_stock_lava_agrees([(network, source.encode(images[0, :4]))], tmp_path)


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.timeout(1800)
@settings(max_examples=5, derandomize=True, database=None, phases=[Phase.generate])
@given(st.lists(stock_cases(), min_size=8, max_size=8))
def test_many_stock_networks_spike_like_the_reference(tmp_path_factory, cases):
    assert_stock_lava_agrees(cases, tmp_path_factory.mktemp("netx"))


@pytest.mark.slow
@pytest.mark.lava
def test_netx_keeps_every_dense_weight_that_we_let_it_pack():
    script = SCRIPT.with_name("netx_packing.py")
    assert subprocess.run([sys.executable, str(script)], check=False).returncode == 0


@given(st.booleans().flatmap(stock_networks))
def test_random_chains_keep_the_rules_of_stock_lava(network):
    assert stock_obstacles(network) == ()


def changed(network, index, **changes):
    populations = list(network.populations)
    populations[index] = replace(populations[index], **changes)
    return replace(network, populations=tuple(populations))


def with_neuron(network, index, **changes):
    neuron = replace(network.populations[index].neuron, **changes)
    return changed(network, index, neuron=neuron)


def soft(network):
    neuron = network.populations[0].neuron
    fields = (neuron.state_format, neuron.factor_bits, neuron.decay, neuron.threshold)
    return changed(network, 0, neuron=IntegerLifSoft(*fields))


def with_projection(network, index, **changes):
    projections = list(network.projections)
    projections[index] = replace(projections[index], **changes)
    return replace(network, projections=tuple(projections))


def shortcut(network):
    extra = Projection(
        "input", "flat", (Dense(np.ones((6, int(np.prod(network.input.shape))), int)),)
    )
    return replace(network, projections=(*network.projections, extra))


OBSTACLES = {
    "neuron": (soft, "no neuron IntegerLifSoft"),
    "gain": (lambda n: changed(n, 0, gain=n.populations[0].gain - 1), "the gain 64"),
    "gain shift": (lambda n: changed(n, 0, gain_shift=1), "no shift in every channel"),
    "threshold": (
        lambda n: with_neuron(n, 0, threshold=n.populations[0].neuron.threshold + 1),
        "a threshold is 64 n + 1",
    ),
    "bias": (lambda n: changed(n, 0, bias=n.populations[0].bias + 1), "a bias is 64 n"),
    "decay bits": (lambda n: with_neuron(n, 0, factor_bits=13), "12-bit decays"),
    "no leak": (lambda n: with_neuron(n, 0, decay=4096), "the membrane potential may reach"),
    "shift": (lambda n: with_projection(n, -1, shift=1), "no shift behind a sum"),
    "source": (shortcut, "netx feeds a layer from the one before"),
    "dense signs": (
        lambda n: with_projection(n, -1, maps=(Dense(np.full((3, 6), -1)),)),
        "goes wrong where none is positive",
    ),
    "duration": (lambda n: replace(n, time_steps=10**6), "past 24 bits"),
}


@settings(max_examples=3)
@pytest.mark.parametrize("what", OBSTACLES)
@given(stock_networks())
def test_each_broken_rule_is_named(what, network):
    change, message = OBSTACLES[what]
    reasons = stock_obstacles(change(network))
    assert any(message in reason for reason in reasons), reasons


@given(networks())
def test_obstacles_name_a_layer(network):
    names = [p.name for p in (*network.populations, network.readout)]
    assert all(reason.split(":")[0] in names for reason in stock_obstacles(network))
