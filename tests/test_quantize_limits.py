"""Numbers that an integer format cannot hold are refused, not clipped or wrapped."""

import numpy as np
import pytest
import torch
from torch import nn

from arlif import layers
from arlif.core.network import Input, QuantizedNetwork
from arlif.core.neurons import PRESETS
from arlif.errors import LoweringError
from arlif.neurons import LIF
from arlif.quantize.quantize import Precision, quantize
from arlif.quantize.stock_lava import quantize_for_stock_lava
from arlif.quantize.trace import linearize

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
        with pytest.raises(LoweringError, match="readout's bias reaches 1e\\+08.*past int32"):
            lower()


def test_a_large_readout_bias_keeps_its_value() -> None:
    net = chain(LIF())
    nn.init.constant_(net[2].bias, -1e6)
    readout = integers(net).readout
    np.testing.assert_allclose(readout.bias * readout.scale, -1e6, rtol=1e-6)
