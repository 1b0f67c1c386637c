"""Stock Lava, unmodified but for the hook, loads plain LIF networks and spikes alike."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.places import SUPPORT
from support.strategies import inputs_for
from support.strategies_stock import stock_networks

from arlif import LIF, layers
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
@settings(max_examples=1, derandomize=True, database=None, phases=[Phase.generate])
@given(st.lists(stock_cases(), min_size=4, max_size=4))
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
