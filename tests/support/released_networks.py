"""Networks with the names of the released programs, computed in plain torch: oracles of weights."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d


class Neuron(nn.Module):
    """Adaptive-reset LIF (arXiv:2507.20746, Eqs. 5-8) whose alpha is used as it is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.empty(1).uniform_(-0.5, 0.5))
        self.c = nn.Parameter(torch.empty(1).uniform_(-0.5, 1.5))

    def forward(self, currents: Tensor) -> Tensor:
        u = r = torch.zeros_like(currents[0])
        spikes = []
        for x in currents:
            h = 0.5 * u + x
            theta = 1 + self.a.tanh() * x.tanh()
            s = (h >= theta).to(x.dtype)
            gate = torch.sigmoid(self.c * x)
            r = r * torch.where(r >= 0, gate, 1 - gate) + (2 * s - 1) * torch.sigmoid(x)
            u = h - s * (theta + torch.sigmoid(r))
            spikes.append(s)
        return torch.stack(spikes)


class Silent(nn.Module):
    """LIF with hard reset, which has no parameters, where CLIF's checkpoints have a neuron."""

    def forward(self, currents: Tensor) -> Tensor:
        u, spikes = torch.zeros_like(currents[0]), []
        for x in currents:
            h = 0.5 * u + x
            s = (h >= 1).to(x.dtype)
            u = (1 - s) * h
            spikes.append(s)
        return torch.stack(spikes)


def each(layer: nn.Module, x: Tensor) -> Tensor:
    """A layer on every time step."""
    return torch.stack([layer(frame) for frame in x])


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, neuron: type[nn.Module]) -> None:
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.relu1, self.relu2 = neuron(), neuron()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(each(self.bn1, x))
        out = each(self.conv2, self.relu2(each(self.bn2, each(self.conv1, x))))
        return out + (each(self.shortcut, x) if hasattr(self, "shortcut") else x)


class ResNet(nn.Module):
    """ResNet-18 of the released programs, of any width."""

    def __init__(self, width: int, neuron: type[nn.Module] = Neuron) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        for number in range(1, 5):
            stride = 1 if number == 1 else 2
            blocks = [Block(width, width, stride, neuron), Block(width, width, 1, neuron)]
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
        self.bn1, self.relu1 = nn.BatchNorm2d(width), neuron()
        self.linear = nn.Linear(width, 10)

    def forward(self, image: Tensor, steps: int) -> Tensor:
        x = self.conv1(image).expand(steps, -1, -1, -1, -1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.linear(self.relu1(each(self.bn1, x)).mean((3, 4)))


class Vgg(nn.Module):
    """VGG-11 of the released programs: layers that end in a pool, four places a convolution."""

    def __init__(self, widths: list[list[int]], channels: int, classes: int) -> None:
        super().__init__()
        for number, layer in enumerate(widths, start=1):
            parts: list[nn.Module] = []
            for width in layer:
                parts += [nn.Conv2d(channels, width, 3, 1, 1), nn.BatchNorm2d(width)]
                parts += [Neuron(), nn.Dropout(0.4)]
                channels = width
            setattr(self, f"layer{number}", nn.Sequential(*parts, nn.AvgPool2d(2)))
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(49 * channels, classes))
        self.layers = len(widths)

    def forward(self, x: Tensor) -> Tensor:
        for number in range(1, self.layers + 1):
            for part in getattr(self, f"layer{number}"):
                x = part(x) if isinstance(part, Neuron) else each(part, x)
        x = each(nn.AdaptiveAvgPool2d(7), x).flatten(2)
        return self.classifier(x)


class Fwd(nn.Module):
    """A convolution and its norm, called fwd; with a neuron inside, or wrapped once more."""

    def __init__(self, inputs: int, outputs: int, wrapped: bool) -> None:
        super().__init__()
        fwd = nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs))
        self.fwd = nn.ModuleDict({"module": fwd}) if wrapped else fwd
        self.act = nn.Identity() if wrapped else Neuron()

    def forward(self, x: Tensor) -> Tensor:
        layer = self.fwd["module"] if isinstance(self.fwd, nn.ModuleDict) else self.fwd
        return self.act(each(layer, x))


class VggSnn(nn.Module):
    """VGG-SNN of the released programs; psn: of the folder AR-LIF-PSN."""

    def __init__(self, widths: list[int | str], channels: int, outputs: int, psn: bool) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for width in widths:
            if isinstance(width, str):
                parts.append(nn.AvgPool2d(2))
                continue
            parts.append(Fwd(channels, width, psn))
            channels = width
            if psn:
                parts.append(Neuron())
        self.features = nn.Sequential(*parts)
        linear = nn.LazyLinear(outputs)
        wrapped = nn.Sequential(nn.Dropout(0.25), nn.ModuleDict({"module": linear}))
        self.classifier = wrapped if psn else linear

    def forward(self, x: Tensor) -> Tensor:
        for part in self.features:
            x = each(lambda f: avg_pool2d(f, 2), x) if isinstance(part, nn.AvgPool2d) else part(x)
        head = self.classifier
        return (head[1]["module"] if isinstance(head, nn.Sequential) else head)(x.flatten(2))


def lively(net: nn.Module) -> nn.Module:
    """The network with norms that make neurons fire, ready to be evaluated."""
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.weight.uniform_(1, 2)
                part.bias.uniform_(0, 0.4)
                part.running_mean.uniform_(-0.1, 0.1)
                part.running_var.uniform_(0.05, 0.2)
    return net.eval()
