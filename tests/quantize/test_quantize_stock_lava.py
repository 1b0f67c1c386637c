"""Hard-reset LIF networks in the numbers of stock Lava's own neuron."""

import numpy as np
import pytest
import torch
from support.networks_small import images, randomise
from torch import nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.neurons import ARLIF, LIF
from arlif.quantize import calibrate_input, linearize, quantize_for_stock_lava
from export.lava import stock_obstacles
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import simulate
from hw_sim.engines.simulation import Record

T = 4


def network(neuron=lambda: LIF(reset="hard"), width: int = 12) -> nn.Module:
    torch.manual_seed(0)
    return randomise(
        nn.Sequential(
            layers.Conv2d(1, width, 3, padding=1),
            layers.BatchNorm2d(width),
            layers.Repeat(T),
            neuron(),
            layers.Conv2d(width, 2 * width, 3, 2, 1),
            layers.BatchNorm2d(2 * width),
            neuron(),
            layers.AvgPool2d(2),
            layers.Flatten(),
            layers.Linear(2 * width * 4, 10),
        )
    )


@pytest.mark.parametrize("width", [12, 300])
def test_stock_lava_has_no_objection_and_spikes_stay(width: int) -> None:
    """300 channels only fit 24 bits with smaller weights than int8 could hold."""
    module, real = network(width=width), images((1, 8, 8), 16)
    linear = linearize(module, (1, 8, 8))
    source = calibrate_input(real.numpy(), (1, 8, 8), linear.static)
    quantized = quantize_for_stock_lava(linear, source, T)
    assert stock_obstacles(quantized) == ()
    raw = source.encode(real[0].numpy())
    got = simulate(quantized, raw, T, Record.everything(quantized))
    want = simulate_float(module, real, traced=16)
    for name, trace in got.traces.items():
        assert trace.spikes.mean() > 0.02
        assert (trace.spikes == want.traces[name].spikes).mean() > 0.97


def test_other_neurons_are_refused_by_name() -> None:
    linear = linearize(network(ARLIF), (1, 8, 8))
    source = calibrate_input(np.ones((1, 1, 8, 8)), (1, 8, 8), linear.static)
    with pytest.raises(LoweringError, match=r"3: .*hard reset.*6: .*hard reset"):
        quantize_for_stock_lava(linear, source, T)


@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        (lambda: LIF(1e-5, reset="hard"), "3: decay = 1e-05 rounds to 0"),
        (
            lambda: LIF(0.99999, reset="hard"),
            r"3: .* 0.99999 rounds to 1 in 12 bits.*; Lava's own LIF has no more: train another$",
        ),
        (lambda: LIF(v_threshold=1e-4, reset="hard"), "3: its threshold of 0.0001 is less than"),
    ],
)
def test_numbers_that_would_vanish_are_refused(neuron, message: str) -> None:
    linear = linearize(network(neuron), (1, 8, 8))
    source = calibrate_input(np.ones((1, 1, 8, 8)), (1, 8, 8), linear.static)
    with pytest.raises(LoweringError, match=message):
        quantize_for_stock_lava(linear, source, T)
