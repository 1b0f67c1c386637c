"""Numbers that an integer format cannot hold are refused, not clipped or wrapped."""

from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Input, QuantizedNetwork
from arlif.neurons import LIF
from arlif.quantize import Precision, linearize, quantize, quantize_for_stock_lava
from arlif.quantize.rounding import accumulator_unit

SOURCE = Input((4,), 1.0, -127, 127, static=False)


def chain(neuron: nn.Module) -> nn.Sequential:
    """4 inputs, 4 neurons, 3 classes."""
    torch.manual_seed(0)
    return nn.Sequential(layers.Linear(4, 4), neuron, layers.Linear(4, 3))


def integers(net: nn.Module, preset: str = "compact16") -> QuantizedNetwork:
    return quantize(linearize(net, (4,)), SOURCE, Precision(PRESETS[preset]), 4)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_readout_bias_past_int32_is_refused(sign: int) -> None:
    net = chain(LIF(reset="hard"))
    nn.init.constant_(net[2].bias, sign * 1e8)
    linear = linearize(net, (4,))
    for lower in (
        lambda: quantize(linear, SOURCE, Precision(), 4),
        lambda: quantize_for_stock_lava(linear, SOURCE, 4),
    ):
        with pytest.raises(LoweringError, match=r"readout's bias reaches 1e\+08.*past int32"):
            lower()


def test_a_large_readout_bias_keeps_its_value() -> None:
    net = chain(LIF())
    nn.init.constant_(net[2].bias, -1e6)
    readout = integers(net).readout
    np.testing.assert_allclose(readout.bias * readout.scale, -1e6, rtol=1e-6)


@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_a_lif_threshold_past_the_state_format_is_refused(reset: Literal["hard", "soft"]) -> None:
    """Clipped to 127.996 it fired too early."""
    net = chain(LIF(v_threshold=200, reset=reset))
    with pytest.raises(LoweringError, match=r"threshold of 200 does not fit .*use more bits"):
        integers(net)
    assert integers(net, "loihi24").populations[0].neuron.constants["threshold"] == 200 << 12


@pytest.mark.parametrize("value", [128.0, -129.0, float("nan")])
def test_a_bias_past_the_state_format_is_refused(value: float) -> None:
    linear = linearize(chain(LIF()), (4,))
    linear.populations[0].current.bias[1] = value
    with pytest.raises(LoweringError, match=f"population 1: a bias of {value:g} does not fit"):
        quantize(linear, SOURCE, Precision(), 4)


def test_the_largest_numbers_of_a_format_fit() -> None:
    net = chain(LIF(v_threshold=127.99609375))
    nn.init.constant_(net[0].bias, -128.0)
    (population,) = integers(net).populations
    assert population.neuron.constants["threshold"] == 32767
    assert (population.bias == -32768).all()


class Shortcut(nn.Module):
    """A batch norm beside a plain branch, into one neuron."""

    def __init__(self, gamma: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.plain, self.other = layers.Linear(4, 4), layers.Linear(4, 4)
        self.norm = layers.BatchNorm1d(4)
        nn.init.constant_(self.norm.weight, gamma)
        self.neuron, self.head = LIF(), layers.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.neuron(self.plain(x) + self.norm(self.other(x))))


def test_a_variance_below_zero_is_refused() -> None:
    net = Shortcut(1.0)
    nn.init.constant_(net.norm.running_var, -0.5)
    with pytest.raises(
        LoweringError, match=r"^norm .*: its variance is -0\.5, and none is below 0"
    ):
        linearize(net, (4,))


@pytest.mark.parametrize("gamma", [1e-9, 1e-5, 1.0, 100.0])
def test_branches_of_any_magnitude_share_a_sum(gamma: float) -> None:
    linear = linearize(Shortcut(gamma), (4,))
    network = quantize(linear, SOURCE, Precision(), 4)
    (population,) = network.populations
    unit = accumulator_unit(population.gain, population.gain_shift, population.neuron)
    raw = sum(p.maps[0].weight.astype(np.int64) << p.shift for p in network.incoming("neuron"))
    real = sum(term.synapses.weight for term in linear.populations[0].current.terms)
    np.testing.assert_allclose(raw * unit[:, None], real, atol=np.abs(real).max() / 127)
