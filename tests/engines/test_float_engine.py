"""The float side of comparisons: whatever form a network gives its logits, it decides alike."""

import numpy as np
from support.networks_small import conv_net, images, quantized
from torch import Tensor, nn

from hw_sim.comparison.agreement import agreement
from hw_sim.engines.floating_point import simulate_float


class MeanOverTime(nn.Module):
    """A network whose last step is the mean over time."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).mean(0)


def test_a_mean_over_time_decides_as_the_sum_does() -> None:
    net, real = conv_net(), images((1, 8, 8), 32)
    want, got = simulate_float(net, real, batch=10), simulate_float(MeanOverTime(net), real, 4, 10)
    np.testing.assert_array_equal(want.decisions, got.decisions)
    assert got.readout.shape == (32, 10)


def test_a_mean_over_time_agrees_with_its_integers() -> None:
    net, real = MeanOverTime(conv_net()), images((1, 8, 8), 32)
    found = agreement(net, quantized(net, (1, 8, 8)), real)
    assert found["samples"] == 32
    assert found["decisions_changed"] <= 2
