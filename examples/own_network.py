"""A residual network of your own: from torch to the same spikes on the integer engine and Lava.

Run: python examples/own_network.py
"""

import numpy as np
import torch
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.comparison.divergence import compare
from hw_sim.engines.integer.fast import simulate
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.simulation import Record

TIME_STEPS = 4


class Residual(nn.Module):
    """A stem, one pre-activation block with a shortcut, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            layers.Conv2d(1, 8, 3, padding=1), layers.BatchNorm2d(8), layers.Repeat(TIME_STEPS)
        )
        self.first = arlif.ARLIF()
        self.conv = layers.Conv2d(8, 8, 3, padding=1)
        self.norm = layers.BatchNorm2d(8)
        self.second = arlif.ARLIF()
        self.head = nn.Sequential(layers.AvgPool2d(4), layers.Flatten(), layers.Linear(32, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [T, N, 10] of images [1, N, 1, 8, 8]."""
        spikes = self.first(self.stem(images))
        return self.head(self.second(self.norm(self.conv(spikes)) + spikes))


def main() -> None:
    """Build, quantize, simulate twice, compare."""
    torch.manual_seed(0)
    images = torch.rand(1, 16, 1, 8, 8)
    net = Residual()
    net(images)  # stands for training: gives batch norm its statistics

    linear = linearize(net, input_shape=(1, 8, 8))
    source = calibrate_input(images, linear.input_shape, linear.static)
    network = quantize(linear, source, Precision(weight_bits=8), TIME_STEPS)
    raw, record = source.encode(images[0]), Record.everything(network)

    integer = simulate(network, raw, TIME_STEPS, record)
    lava = simulate_lava(network, raw, TIME_STEPS, record)
    verdict = compare(network, integer, lava)
    print(f"{verdict.spikes_different} of {verdict.spikes_compared} spikes differ")
    print("decisions:", np.array2string(integer.decisions))
    assert verdict.equal, verdict.first


if __name__ == "__main__":
    main()
