"""Networks over signals (C, L) do as in their library, and take frames (C, 1, L) as well."""

import pytest
import torch
from spikingjelly.activation_based import functional, layer, neuron
from support import norse_networks, spikingjelly_networks
from support.other_libraries import norse, snntorch
from torch import Tensor, nn

from arlif import LIF, layers
from arlif.interop.recognise import to_arlif
from arlif.quantize import linearize

T, SHAPE = 8, (2, 16)


def signals() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(T, 5, *SHAPE, generator=generator) < 0.4).float()


def leaky() -> nn.Module:
    return snntorch.Leaky(0.8, threshold=0.3)


class Loop(nn.Module):
    """As tutorials write it; `pool` says what lies between both convolutions."""

    def __init__(self, pool: str) -> None:
        super().__init__()
        self.how, self.pool = pool, nn.MaxPool1d(2)
        self.conv1, self.norm, self.lif1 = nn.Conv1d(2, 6, 5, padding=2), nn.BatchNorm1d(6), leaky()
        self.conv2, self.lif2 = nn.Conv1d(6, 4, 3, stride=2, groups=2), leaky()
        self.fc, self.lif3 = nn.Linear(12, 5), leaky()

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2, mem3 = (lif.init_leaky() for lif in (self.lif1, self.lif2, self.lif3))
        spikes = []
        for now in x:
            spk, mem1 = self.lif1(self.norm(self.conv1(now)), mem1)
            match self.how:
                case "layer":
                    spk = self.pool(spk)
                case "maximum":
                    spk = nn.functional.max_pool1d(spk, 2)
                case "mean":
                    spk = nn.functional.avg_pool1d(spk, 2)
                case "adaptive":
                    spk = nn.functional.adaptive_avg_pool1d(spk, 8)
            spk, mem2 = self.lif2(self.conv2(spk), mem2)
            spk, mem3 = self.lif3(self.fc(spk.flatten(1)), mem3)
            spikes.append(spk)
        return torch.stack(spikes)


def from_snntorch(pool: str = "layer") -> nn.Module:
    torch.manual_seed(0)
    network = Loop(pool).eval()
    with torch.no_grad():
        network.conv2.weight.mul_(3)
        network.fc.weight.mul_(3)
    return network


def same_spikes(want: Tensor, ours: nn.Module) -> None:
    """As signals, and as frames of height 1."""
    assert 0.02 < want.mean() < 0.95
    assert torch.equal(ours(signals()), want)
    assert torch.equal(ours(signals().unsqueeze(3)), want)
    assert linearize(ours, SHAPE).input_shape == (2, 1, 16)


@pytest.mark.parametrize("pool", ["layer", "maximum", "mean", "adaptive"])
def test_of_snntorch(pool: str) -> None:
    network, x = from_snntorch(pool), signals()
    with torch.no_grad():
        want = network(x)
        same_spikes(want, to_arlif(network, x))
        if pool == "layer":
            same_spikes(want, to_arlif(network, x.unsqueeze(3)))


def test_of_norse() -> None:
    torch.manual_seed(0)
    lif = norse_networks.NEURONS["LIFBox to value"]
    network = norse.torch.SequentialState(
        nn.Conv1d(2, 6, 5, padding=2, dilation=2), nn.BatchNorm1d(6), lif(), nn.AvgPool1d(2),
        nn.Conv1d(6, 4, 3), lif(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(8, 5), lif(),
    ).eval()  # fmt: skip
    with torch.no_grad():
        network[4].weight.mul_(8)
        network[8].weight.mul_(3)
        want = norse_networks.run(network, signals())
        same_spikes(want, to_arlif(network, signals()))


@pytest.mark.parametrize("mode", ["s", "m"])
def test_of_spikingjelly(mode: str) -> None:
    torch.manual_seed(0)
    lif = lambda: neuron.LIFNode(2.0, False, 0.5)  # noqa: E731
    network = nn.Sequential(
        layer.Conv1d(2, 6, 5, padding=2), layer.BatchNorm1d(6), lif(), layer.MaxPool1d(2),
        layer.Conv1d(6, 6, 3, padding=1, groups=3), lif(), layer.AvgPool1d(2),
        layer.AdaptiveAvgPool1d(2), layer.Flatten(), layer.Linear(12, 5), lif(),
    ).eval()  # fmt: skip
    functional.set_step_mode(network, mode)
    with torch.no_grad():
        network[4].weight.mul_(3)
        network[9].weight.mul_(6)
        want = spikingjelly_networks.run(network, signals(), mode)
        same_spikes(want, to_arlif(network, signals()))


def test_of_torch_layers_between_neurons_of_arlif() -> None:
    torch.manual_seed(0)
    parts = [nn.Conv1d(2, 6, 5), nn.BatchNorm1d(6), LIF(0.8, 0.3), nn.MaxPool1d(2), nn.Flatten()]
    network = nn.Sequential(*parts, nn.Linear(36, 5)).eval()
    ours = to_arlif(network, signals())
    frames = signals().flatten(0, 1)
    with torch.no_grad():
        spikes = LIF(0.8, 0.3)(parts[1](parts[0](frames)).unflatten(0, (T, 5))).flatten(0, 1)
        want = network[5](parts[3](spikes).flatten(1)).unflatten(0, (T, 5))
        torch.testing.assert_close(ours(signals()), want)
    assert isinstance(ours[0], layers.Conv1d)
