"""The network of cifar10-fast: its first weights, what it whitens, and that it becomes integers."""

import pytest
import torch
from torch import nn

from arlif.base.errors import ArlifError
from arlif.networks import Airbench, NetworkConfig, NeuronConfig, build, summarize
from arlif.quantize import linearize
from arlif.training import load_recipe


def config(shape=(3, 12, 12), widths=(8, 10), static=True):
    return NetworkConfig(Airbench(widths), NeuronConfig(), shape, 5, 2, static)


def test_what_is_whitened_has_variance_one_in_every_direction():
    torch.manual_seed(0)
    net = build(config())
    smooth = nn.functional.avg_pool2d(torch.randn(400, 3, 14, 14), 3, 1)
    Airbench((8, 10)).whiten(net, smooth)
    whitened = 2 * net.whiten(smooth[None])[0].detach()
    half = whitened[:, :12].transpose(0, 1).flatten(1)
    assert torch.equal(whitened[:, 12:], -whitened[:, :12])
    second = half @ half.T / half.shape[1]
    assert torch.allclose(second - torch.diag(second.diag()), torch.zeros(12, 12), atol=1e-3)
    assert 0.9 < float(second.diag().min()) <= float(second.diag().max()) < 1.001


def test_blocks_start_by_passing_their_channels_on():
    net = build(config())
    x = torch.rand(1, 2, 8, 6, 6)
    assert torch.equal(net.conv1b(x), x)
    assert torch.equal(net.conv2a(x)[:, :, :8], x)
    assert float(net.conv2a(x)[:, :, 8:].abs().sum().detach()) > 0


def test_what_learns():
    net = build(config())
    frozen = {name for name, p in net.named_parameters() if not p.requires_grad}
    assert frozen == {"whiten.weight", *(f"bn{part}.weight" for part in ("1a", "1b", "2a", "2b"))}
    assert net(torch.rand(1, 3, 3, 12, 12)).shape == (2, 3, 5)


def test_currents_have_the_gain_as_their_deviation():
    architecture = Airbench((8, 10), gain=0.25)
    net = build(NetworkConfig(architecture, NeuronConfig(), (3, 12, 12), 5, 2, True))
    currents = net.bn1a(3 + 7 * torch.randn(2, 50, 8, 6, 6)).detach()
    assert torch.allclose(currents.std((0, 1, 3, 4)), torch.full((8,), 0.25), atol=1e-3)


@pytest.mark.parametrize("gain", [0.0, -1.0, 8.1, float("nan")])
def test_gains_are_bounded(gain):
    with pytest.raises(ArlifError, match=r"gain lies in \(0, 8\], not"):
        Airbench(gain=gain)


def test_every_layer_becomes_integers():
    linear = linearize(build(config()).eval(), (3, 12, 12))
    assert [p.name for p in linear.populations] == [
        "neuron",
        *(f"neuron{part}" for part in ("1a", "1b", "2a", "2b")),
    ]


def test_the_recipe_has_the_size_of_airbench94():
    summary = summarize(load_recipe("cifar10-fast").network())
    convolutions = 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256)
    batch_norms = 4 * (64 + 256 + 256)
    assert summary.parameters == 312 + convolutions + batch_norms + 2560 + 2 * 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": ()}, "widths are those of one block or more"),
        ({"widths": (0,)}, r"each 1 to 1,048,576, not \(0,\)"),
        ({"shape": (3, 4, 4)}, r"at least 5 pixels, shown at every time step, not images"),
        ({"shape": (3, 12, 13)}, r"square images"),
        ({"static": False}, "not frames of"),
    ],
)
def test_what_it_does_not_take_is_refused(changes, message):
    with pytest.raises(ArlifError, match=message):
        build(config(**changes))


def test_the_smallest_image_works():
    assert build(config(shape=(1, 5, 5)))(torch.rand(1, 3, 1, 5, 5)).shape == (2, 3, 5)
