"""Spikes that are added without weights are weighted part by part, whatever lies between."""

import pytest
import torch
from support.linearized_oracle import N, T, run
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.base.errors import LoweringError
from arlif.quantize import linearize


class Sum(nn.Module):
    """Two layers of neurons, and what `behind` makes of the sum of their spikes."""

    def __init__(self, *behind: nn.Module) -> None:
        super().__init__()
        self.conv = layers.Conv2d(2, 4, 3, padding=1)
        self.inner = layers.Conv2d(4, 4, 3, padding=1)
        self.first, self.second = arlif.LIF(0.5, 0.2), arlif.LIF(0.5, 0.1)
        self.behind = nn.Sequential(*behind)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.first(self.conv(x))
        return self.behind(spikes + self.second(self.inner(spikes)))


def head(features: int) -> tuple[nn.Module, ...]:
    return layers.Flatten(), layers.Linear(features, 3)


NETS = {
    "conv": (layers.Conv2d(4, 5, 3), arlif.LIF(0.5, 0.2), *head(180)),
    "pool": (layers.AvgPool2d(2), layers.Conv2d(4, 5, 3), arlif.LIF(0.5, 0.2), *head(20)),
    "scale": (layers.Scale(0.3), *head(256)),
    "neuron": (layers.AdaptiveAvgPool2d(4), arlif.LIF(0.5, 0.3), *head(64)),
    "norm": (layers.BatchNorm2d(4), arlif.LIF(0.5, 0.3), *head(256)),
}


@pytest.mark.parametrize("name", NETS)
def test_a_sum_is_weighted_part_by_part(name: str) -> None:
    torch.manual_seed(0)
    net = Sum(*NETS[name]).eval().double()
    x = torch.rand(T, N, 2, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        want = net(x)
    got, spikes = run(linearize(net, (2, 8, 8)), x)
    assert torch.allclose(got, want, atol=1e-9)
    assert {name: s.mean() > 0.01 for name, s in spikes.items()} == dict.fromkeys(spikes, True)


def test_every_part_of_a_sum_waits() -> None:
    linear = linearize(Sum(layers.Delay(2), *head(256)), (2, 8, 8))
    assert [(t.source, t.delay) for t in linear.readout.terms] == [("first", 2), ("second", 2)]


@pytest.mark.parametrize("pool", [layers.MaxPool2d(2), layers.AdaptiveAvgPool2d(3)])
def test_what_takes_the_spikes_of_one_layer_refuses_a_sum(pool: nn.Module) -> None:
    with pytest.raises(LoweringError, match=r"behind\.0 \(\w+Pool2d\): .*sum"):
        linearize(Sum(pool, layers.Flatten(), layers.Linear(64, 3)), (2, 8, 8))
