"""Small torch networks with live spikes, and what they quantize to."""

import numpy as np
import torch
from torch import nn

from arlif import layers
from arlif.core.network import QuantizedNetwork
from arlif.neurons import ARLIF
from arlif.quantize import Precision, calibrate_input, linearize, quantize


def randomise(module: nn.Module) -> nn.Module:
    """Batch-norm statistics and scales that make neurons fire at plausible rates."""
    generator = torch.Generator().manual_seed(0)

    def uniform(size: int, low: float, high: float) -> torch.Tensor:
        return torch.rand(size, generator=generator) * (high - low) + low

    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            n = layer.num_features
            layer.running_mean.copy_(uniform(n, -0.2, 0.2))
            layer.running_var.copy_(uniform(n, 0.05, 0.3))
            layer.weight.data.copy_(uniform(n, 0.5, 1.0) * (1 - 2 * (uniform(n, 0, 1) < 0.2)))
            layer.bias.data.copy_(uniform(n, -0.2, 0.3))
    return module.eval()


def conv_net(time_steps: int = 4) -> nn.Module:
    """1x8x8: two convolutions with batch norm and pooling, one linear head."""
    torch.manual_seed(0)
    net = nn.Sequential(
        layers.Conv2d(1, 12, 3, padding=1),
        layers.BatchNorm2d(12),
        layers.Repeat(time_steps),
        ARLIF(),
        layers.AvgPool2d(2),
        layers.Conv2d(12, 16, 3, padding=1),
        layers.BatchNorm2d(16),
        ARLIF(),
        layers.AvgPool2d(2),
        layers.Flatten(),
        layers.Linear(64, 10),
    )
    return randomise(net)


def net_with_gains(neuron: nn.Module, gains: list[float]) -> nn.Module:
    """1x8x8: a convolution, its norm with a gain for each time step (TEBN), a neuron, a head."""
    torch.manual_seed(0)
    net = nn.Sequential(
        layers.Conv2d(1, 12, 3, padding=1),
        layers.BatchNorm2d(12),
        layers.Repeat(len(gains)),
        layers.StepGain(len(gains)),
        neuron,
        layers.Flatten(),
        layers.Linear(768, 10),
    )
    with torch.no_grad():
        net[3].gain.copy_(torch.tensor(gains))
    return randomise(net)


def images(shape: tuple[int, ...], samples: int, seed: int = 0) -> torch.Tensor:
    """Real inputs, [1, N, *shape], uniform in [0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, samples, *shape, generator=generator)


def quantized(
    module: nn.Module,
    shape: tuple[int, ...],
    precision: Precision | None = None,
    time_steps: int = 4,
    samples: int = 32,
) -> QuantizedNetwork:
    """The integer network, its input calibrated on `images`."""
    linear = linearize(module, shape)
    source = calibrate_input(images(shape, samples).numpy(), shape, linear.static)
    return quantize(linear, source, precision or Precision(), time_steps)


def digits_like(samples: int) -> tuple[QuantizedNetwork, np.ndarray]:
    """conv_net as integers, with raw inputs [N, 1, 8, 8]."""
    network = quantized(conv_net(), (1, 8, 8))
    return network, network.input.encode(images((1, 8, 8), samples, seed=1)[0].numpy())
