"""Constants that multiply spikes are taken up by the weights behind them, exactly."""

import numpy as np
import pytest
import torch
from support.linearized_oracle import run
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.neurons import LIF
from arlif.quantize import linearize

SHAPE = (4, 5, 6)


def constants(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3)) + 0.5


CHANNELS, PLACES = constants(4, 1, 1), constants(*SHAPE)
BEHIND = {
    "convolution": lambda: (
        layers.Scale(CHANNELS),
        layers.Conv2d(4, 6, 3, padding=1),
    ),
    "grouped": lambda: (
        layers.Scale(CHANNELS),
        layers.Conv2d(4, 6, 3, padding=1, groups=2),
    ),
    "pooled": lambda: (
        layers.Scale(3 * CHANNELS),
        layers.AvgPool2d(2),
        layers.Conv2d(4, 6, 1),
    ),
    "padded": lambda: (
        layers.Scale(CHANNELS),
        layers.AvgPool2d(3, 1, 1),
        layers.Conv2d(4, 6, 1),
    ),
    "largest": lambda: (
        layers.Scale(CHANNELS),
        layers.MaxPool2d(2),
        layers.Conv2d(4, 6, 1),
    ),
    "twice": lambda: (
        layers.Scale(CHANNELS),
        layers.Scale(PLACES),
    ),
    "signed": lambda: (
        layers.Scale(CHANNELS - 1),
        layers.Conv2d(4, 6, 3),
    ),
    "dense": lambda: (
        layers.Scale(PLACES),
        layers.Flatten(),
        layers.Linear(120, 7),
    ),
    "flat": lambda: (
        layers.Flatten(),
        layers.Scale(constants(120)),
        layers.Linear(120, 7),
    ),
    "neuron": lambda: (layers.Scale(PLACES),),
}


@pytest.mark.parametrize("name", BEHIND)
def test_a_scale_is_folded_into_what_follows(name: str) -> None:
    torch.manual_seed(0)
    behind = nn.Sequential(*BEHIND[name]())
    size = behind(torch.zeros(3, 1, *SHAPE)).flatten(2).shape[2]
    flat = [] if name in ("dense", "flat") else [layers.Flatten()]
    net = nn.Sequential(
        LIF(v_threshold=0.6), behind, LIF(v_threshold=0.4), *flat, layers.Linear(size, 3)
    ).eval()
    x = torch.rand(3, 2, *SHAPE)
    with torch.no_grad():
        logits, spikes = run(linearize(net, SHAPE), x)
        np.testing.assert_allclose(logits, net(x), atol=1e-5)
    assert all(0 < sent.mean() < 1 for sent in spikes.values())


def test_sums_of_scaled_spikes_meet_weights() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.scale = LIF(v_threshold=0.6), layers.Scale(CHANNELS)
            self.conv, self.b = layers.Conv2d(4, 6, 3), LIF(v_threshold=0.4)
            self.flat, self.head = layers.Flatten(), layers.Linear(72, 3)

        def forward(self, x: Tensor) -> Tensor:
            spikes = self.a(x)
            return self.head(self.flat(self.b(self.conv(spikes + self.scale(spikes)))))

    torch.manual_seed(0)
    net, x = Branches().eval(), torch.rand(3, 2, *SHAPE)
    with torch.no_grad():
        logits, _ = run(linearize(net, SHAPE), x)
        np.testing.assert_allclose(logits, net(x), atol=1e-5)


@pytest.mark.parametrize("behind", [layers.Conv2d(4, 6, 3), layers.AvgPool2d(2)])
def test_constants_within_a_channel_meet_no_window(behind: nn.Module) -> None:
    net = nn.Sequential(LIF(), layers.Scale(PLACES), behind, LIF())
    with pytest.raises(LoweringError, match="differ within a channel"):
        linearize(net, SHAPE)
