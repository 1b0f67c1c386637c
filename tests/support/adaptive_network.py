"""A network of neurons of a user's class, trained constants on images and on features."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from arlif import NeuronLayer, layers
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Input, QuantizedNetwork
from arlif.quantize import Precision, linearize, quantize
from support.user_neurons import Adaptive

SHAPE, STEPS = (2, 6, 6), 5


def own_module() -> nn.Module:
    """Two layers of neurons whose `strength` differs from channel to channel."""
    torch.manual_seed(7)
    conv, flat = (NeuronLayer(Adaptive(), shape=shape) for shape in ((4, 6, 6), (8,)))
    for layer in (conv, flat):
        nn.init.uniform_(layer.get_parameter("strength"), -0.75, 0.75)
    first, last = layers.Conv2d(2, 4, 3, padding=1), layers.Linear(8, 3)
    with torch.no_grad():
        first.weight.mul_(4)
    hidden = layers.Linear(144, 8)
    return nn.Sequential(first, conv, layers.Flatten(), hidden, flat, last).eval()


def own_network() -> QuantizedNetwork:
    """The same in integers."""
    source = Input(SHAPE, 1 / 64, static=False)
    return quantize(linearize(own_module(), SHAPE), source, Precision(PRESETS["compact16"]), STEPS)


def own_inputs() -> NDArray[np.int8]:
    """Three samples, [T, N, *shape]."""
    shape = (STEPS, 3, *SHAPE)
    return np.random.default_rng(3).integers(-127, 128, shape).astype(np.int8)
