"""What stock Lava cannot run of a network is named, layer by layer, before it is tried."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from support.raw_neurons import lif_soft, with_constants
from support.strategies import networks
from support.strategies_stock import stock_networks

from arlif.core.maps import Dense
from arlif.core.network import READOUT, Projection
from export.lava import stock_obstacles


def changed(network, index, **changes):
    populations = list(network.populations)
    populations[index] = replace(populations[index], **changes)
    return replace(network, populations=tuple(populations))


def with_neuron(network, index, **changes):
    neuron = with_constants(network.populations[index].neuron, **changes)
    return changed(network, index, neuron=neuron)


def with_factor_bits(network, index, bits):
    neuron = replace(network.populations[index].neuron, factor_bits=bits)
    return changed(network, index, neuron=neuron)


def soft(network):
    neuron = network.populations[0].neuron
    raw = (neuron.constants["decay"], neuron.constants["threshold"])
    soft = lif_soft(neuron.state_format, neuron.factor_bits, *raw)
    return changed(network, 0, neuron=soft)


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
    "neuron": (soft, "no neuron LifSoft"),
    "gain": (lambda n: changed(n, 0, gain=n.populations[0].gain - 1), "the gain 64"),
    "gain shift": (lambda n: changed(n, 0, gain_shift=1), "no shift in every channel"),
    "threshold": (
        lambda n: with_neuron(n, 0, threshold=n.populations[0].neuron.constants["threshold"] + 1),
        "a threshold is 64 n + 1",
    ),
    "bias": (lambda n: changed(n, 0, bias=n.populations[0].bias + 1), "a bias is 64 n"),
    "decay bits": (lambda n: with_factor_bits(n, 0, 13), "12-bit decays"),
    "no leak": (lambda n: with_neuron(n, 0, decay=4096), "the membrane potential may reach"),
    "shift": (lambda n: with_projection(n, -1, shift=1), "no shift behind a sum"),
    "source": (shortcut, "netx feeds a layer from the one before"),
    "dense signs": (
        lambda n: with_projection(n, -1, maps=(Dense(np.full((3, 6), -1)),)),
        "goes wrong where none is positive",
    ),
    "duration": (
        lambda n: with_projection(
            replace(n, time_steps=1 << 16), -1, maps=(Dense(np.full((3, 6), 9)),)
        ),
        "past 24 bits",
    ),
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


@given(stock_networks())
def test_the_readouts_sum_over_all_steps_fits_24_bits(network):
    """Its weights stand six bits higher in Lava, and its state reaches 2**23 - 1 both ways."""
    reach = 64 * max(map(abs, network.accumulator_interval(READOUT)))
    assume(reach > 0)
    longest = (2**23 - 1) // reach
    for steps, told in ((longest, False), (longest + 1, True)):
        reasons = stock_obstacles(replace(network, time_steps=steps))
        assert any(reason.startswith("readout: its sum over") for reason in reasons) == told
