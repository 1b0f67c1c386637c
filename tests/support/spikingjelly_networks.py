"""Networks of SpikingJelly with each neuron that arlif takes over, and a short training of them."""

from collections.abc import Callable, Iterator

import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import Tensor, nn

import support.other_libraries  # noqa: F401  skips where a library is missing
from arlif.interop.spikingjelly import to_arlif

ATAN = surrogate.ATan()
NEURONS: dict[str, Callable[[], nn.Module]] = {
    "LIFNode": lambda: neuron.LIFNode(2.0, v_threshold=0.3, surrogate_function=ATAN),
    "LIFNode, tau 3.3, v_reset -0.2": lambda: neuron.LIFNode(3.3, True, 0.1, -0.2),
    "LIFNode, soft reset": lambda: neuron.LIFNode(2.5, True, 0.3, None),
    "LIFNode, input kept": lambda: neuron.LIFNode(4.0, decay_input=False),
    "IFNode": lambda: neuron.IFNode(),
    "IFNode, soft reset": lambda: neuron.IFNode(v_reset=None),
    "ParametricLIFNode": lambda: neuron.ParametricLIFNode(2.0, True, 0.3),
    "ParametricLIFNode, input kept": lambda: neuron.ParametricLIFNode(3.0, False),
    "HalfThresholdIFNode": lambda: neuron.HalfThresholdIFNode(),
    "ComplementaryLIFNode": lambda: neuron.ComplementaryLIFNode(2.0),
    "CUBALIFNode": lambda: neuron.CUBALIFNode(),
}


class Residual(nn.Module):
    """Spikes added to spikes, as SEW-ResNet's block does."""

    def __init__(self, make: Callable[[], nn.Module], channels: int) -> None:
        super().__init__()
        self.conv = layer.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn = layer.BatchNorm2d(channels)
        self.sn = make()
        self.shortcut = nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        return self.sn(self.bn(self.conv(x))) + self.shortcut(x)


class Classifier(nn.Module):
    """Its forward looks at a step mode, as the models of SpikingJelly do."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.stem = nn.Sequential(layer.Conv2d(2, 6, 3, padding=1), layer.BatchNorm2d(6), make())
        self.blocks = nn.ModuleList([Residual(make, 6), Residual(make, 6)])
        self.pool = layer.AvgPool2d(2)
        self.fc = layer.Linear(96, 10)
        self.out = make()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.pool(x)
        x = torch.flatten(x, 1 if self.pool.step_mode == "s" else 2)
        return self.out(self.fc(x))


def chain(make: Callable[[], nn.Module]) -> nn.Module:
    """A plain stack of every layer that is known."""
    return nn.Sequential(
        layer.Conv2d(2, 8, 3, padding=1),
        layer.BatchNorm2d(8),
        make(),
        layer.AvgPool2d(2),
        layer.Dropout(0.1),
        nn.Sequential(layer.Conv2d(8, 16, 3, padding=1), make()),
        layer.Flatten(),
        layer.Linear(256, 32),
        layer.BatchNorm1d(32),
        make(),
        layer.Linear(32, 10),
        make(),
    )


def run(net: nn.Module, x: Tensor, mode: str) -> Tensor:
    """The network's outputs over time, from a reset on."""
    functional.reset_net(net)
    return net(x) if mode == "m" else torch.stack([net(frame) for frame in x])


def trained(build: Callable[..., nn.Module], name: str, x: Tensor, mode: str) -> nn.Module:
    """A network that fires, after a few steps of training."""
    torch.manual_seed(0)
    net = build(NEURONS[name])
    functional.set_step_mode(net, "m")
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                part.weight.mul_(4)
    optimizer = torch.optim.Adam(net.parameters(), 2e-2)
    classes = torch.arange(x.shape[1]) % 10
    for _ in range(4):
        loss = nn.functional.cross_entropy(run(net, x, "m").sum(0), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    functional.set_step_mode(net, mode)
    return net.eval()


def measured(x: Tensor) -> Iterator[tuple[str, int, int]]:
    """Names of networks, how many of their outputs differ, and of how many."""
    for name in NEURONS:
        for title, build in (("", chain), (", residual", Classifier)):
            net = trained(build, name, x, "m")
            with torch.no_grad():
                want = run(net, x, "m")
                yield name + title, int((to_arlif(net)(x) != want).sum()), want.numel()


def refused() -> nn.Module:
    """A network with neurons that have no counterpart."""
    return nn.Sequential(layer.Linear(3, 3), neuron.QIFNode(), neuron.MaskedPSN(2, 4))
