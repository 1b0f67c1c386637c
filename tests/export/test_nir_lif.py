"""The lif profile: other libraries run our files; we read theirs and our own back."""

from collections.abc import Callable
from pathlib import Path

import nir
import pytest
import torch
from support.other_libraries import (
    LIBRARIES,
    READERS,
    SHAPE,
    differing,
    events,
    imported,
    in_snntorch,
    ours,
    outputs,
    rate,
    spiking_net,
)
from torch import nn

import arlif
from arlif import layers
from arlif.base.errors import ArlifError, LoweringError
from arlif.core.real_neurons import RealSynaptic
from arlif.neurons import CLIF, SpikingNeuron
from arlif.neurons.layer import NeuronLayer
from arlif.neurons.subtract import SubtractLIF
from export.nir import load_nir, write_nir_lif
from export.nir.conventions import Convention, exact, portable, unscaled
from hw_sim.comparison.lif_view import lif_view_changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.nir"


PLAIN: dict[str, Callable[[], SpikingNeuron]] = {
    "fast": lambda: arlif.LIF(0.5, 0.7, "hard"),
    "slow": lambda: arlif.LIF(0.9, 0.7, "hard"),
    "current-based": lambda: NeuronLayer(RealSynaptic(0.75, 0.5, 0.7)),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", PLAIN)
def test_plain_lif_spikes_alike_everywhere(library: str, kind: str, path: Path) -> None:
    net, x = spiking_net(PLAIN[kind]), events()
    write_nir_lif(net, path, SHAPE)
    want = ours(net, x)
    assert rate(want) > 0.01
    assert differing(want, LIBRARIES[library](path, x))[0] == 0


class Residual(nn.Module):
    """A sum of layers is what the readout reads, and what feeds a neuron."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(layers.Conv2d(2, 4, 3, padding=1), arlif.LIF(0.5, 0.4, "hard"))
        self.conv, self.neuron = layers.Conv2d(4, 4, 3, padding=1), arlif.LIF(0.5, 0.4, "hard")
        self.head = nn.Sequential(layers.AvgPool2d(8), layers.Flatten(), layers.Linear(4, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return self.head(x + self.neuron(self.conv(x) + x))


def hard() -> nn.Module:
    return arlif.LIF(0.5, 0.2, "hard")


def flat(*middle: nn.Module, features: int) -> nn.Module:
    return nn.Sequential(*middle, hard(), layers.Flatten(), layers.Linear(features, 5))


SHAPES: dict[str, Callable[[], nn.Module]] = {
    "a sum into the readout": Residual,
    "groups": lambda: flat(layers.Conv2d(2, 6, 3, groups=2), features=216),
    "a kernel that is no square": lambda: flat(layers.Conv2d(2, 3, (1, 5)), features=96),
    "groups, no square, dilated": lambda: flat(
        layers.Conv2d(2, 4, (3, 2), padding=(1, 0), dilation=2, groups=2), features=144
    ),
}


@pytest.mark.parametrize("library", READERS)
@pytest.mark.parametrize("kind", SHAPES)
def test_outputs_are_equal_whatever_the_layers_are(library: str, kind: str, path: Path) -> None:
    torch.manual_seed(2)
    net, x = SHAPES[kind]().eval(), events()
    write_nir_lif(net, path, SHAPE)
    with torch.no_grad():
        want = net(x)
        read = load_nir(path).module(x)
    assert want.std() > 0.05
    assert torch.allclose(read, want, atol=1e-5)
    if (library, kind) != (
        "norse",
        "a sum into the readout",
    ):  # tests/engines/test_library_cures.py
        assert torch.allclose(outputs(imported(library, path), x).flatten(2), want, atol=1e-5)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_potential_at_the_threshold_fires_everywhere(library: str, path: Path) -> None:
    net = nn.Sequential(
        layers.Conv2d(2, 2, 1), arlif.LIF(0.5, 1.0, "hard"), layers.Flatten(), layers.Linear(128, 1)
    )
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.5], [0.5, 0.25]])[:, :, None, None])
        net[0].bias.zero_()
    write_nir_lif(net, path, SHAPE)
    want = ours(net, events(), ("1",))
    assert differing(want, LIBRARIES[library](path, events(), ("1",)))[0] == 0


@pytest.mark.parametrize("library", ["snnTorch", "SpikingJelly"])
def test_unscaled_weights_where_r_is_read(library: str, path: Path) -> None:
    net, x = spiking_net(lambda: arlif.LIF(0.8, 0.7, "hard")), events()
    write_nir_lif(net, path, SHAPE, unscaled)
    assert differing(ours(net, x), LIBRARIES[library](path, x))[0] == 0
    stored = nir.read(path).nodes["2_synapse"].weight
    assert torch.allclose(torch.from_numpy(stored), _absorbed(net), rtol=1e-5)


def _absorbed(net: nn.Sequential) -> torch.Tensor:
    """The first convolution's weights with batch norm in them."""
    norm = net[1]
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (net[0].weight * gain[:, None, None, None]).detach()


def test_arlif_as_lif_is_an_approximation(path: Path) -> None:
    net, x = spiking_net(arlif.ARLIF), events()
    write_nir_lif(net, path, SHAPE)
    wrong, places = differing(ours(net, x), in_snntorch(path, x))
    print(f"AR-LIF read as plain LIF: {wrong} of {places} spikes differ")  # noqa: T201
    assert 0 < wrong < 0.3 * places
    shares = lif_view_changes(net, path, x, len(x))
    neurons = {name: want.shape[2] for name, want in ours(net, x).items()}
    steps = x.shape[0] * x.shape[1]
    assert sum(share * neurons[name] * steps for name, share in shares.items()) == wrong


NEURON_KINDS: dict[str, Callable[[], SpikingNeuron]] = {
    "hard": lambda: arlif.LIF(0.75, 0.7, "hard"),
    "soft": lambda: arlif.LIF(0.75, 0.7, "soft"),
    "subtract": lambda: SubtractLIF(0.75, 0.7, 0.9, 0.2),
    "no leak": lambda: arlif.LIF(1.0, 1.5, "soft"),
    "AR-LIF": lambda: arlif.ARLIF(0.75, 0.7),
    "AR-LIF without memory": lambda: arlif.ARLIF(0.5, 0.9, memory=False),
}


@pytest.mark.parametrize("kind", NEURON_KINDS)
@pytest.mark.parametrize("convention", [portable, unscaled, exact])
def test_our_reader_restores_the_network(kind: str, convention: Convention, path: Path) -> None:
    net, x = spiking_net(NEURON_KINDS[kind]), events()
    write_nir_lif(net, path, SHAPE, convention)
    network = load_nir(path)
    assert network.input_shape == SHAPE
    assert not network.static
    want = ours(net, x)
    assert rate(want) > 0.01
    assert differing(want, ours(network.module, x))[0] == 0


class Branching(nn.Module):
    """Shortcuts of different kinds, several currents into one neuron, a shown frame."""

    def __init__(self) -> None:
        super().__init__()
        self.show = layers.Repeat(8)
        self.stem = nn.Sequential(layers.Conv2d(2, 4, 3, padding=1), arlif.ARLIF())
        self.conv = layers.Conv2d(4, 6, 3, 2, padding=1)
        self.short = nn.Sequential(layers.AvgPool2d(2), layers.Conv2d(4, 6, 1))
        self.join = arlif.LIF(0.5, 0.4)
        self.pool = layers.AvgPool2d(2)
        self.head = nn.Sequential(layers.Flatten(), layers.Linear(24, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(self.show(x))
        x = self.join(self.conv(x) + self.short(x))
        return self.head(self.pool(x))


@pytest.mark.parametrize("convention", [portable, exact])
def test_graphs_with_branches(convention: Convention, path: Path) -> None:
    torch.manual_seed(1)
    net = Branching().eval()
    write_nir_lif(net, path, SHAPE, convention)
    network = load_nir(path)
    assert network.static
    frame = torch.rand(1, 4, *SHAPE)
    with torch.no_grad():
        want, got = net(frame), network.module(frame.expand(8, -1, -1, -1, -1))
    assert torch.allclose(want, got, atol=1e-5)


def test_what_has_no_weights_is_refused(path: Path) -> None:
    with pytest.raises(LoweringError, match="ReLU"):
        write_nir_lif(nn.Sequential(layers.Flatten(), nn.ReLU()), path, SHAPE)
    with pytest.raises(LoweringError, match="NIR has no node for Clif"):
        write_nir_lif(spiking_net(CLIF), path, SHAPE)
    assert not path.exists()
    net = spiking_net(arlif.ARLIF)
    with pytest.raises(ArlifError, match="cannot write"):
        write_nir_lif(net, Path("/proc/nowhere/network.nir"), SHAPE)
