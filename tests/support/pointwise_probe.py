"""A process of its own: gradients of strided 1 x 1 convolutions with the channels innermost.

python pointwise_probe.py [compile] exits with 0 where they are those of the usual layout.
"""

import copy
import sys

import numpy as np
import torch
from torch import Tensor, nn

from arlif.arithmetic.exact import convolve
from arlif.core.maps import Conv2d as IntegerConv2d
from arlif.layers import Conv2d
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, ResNet19, build

LAST = torch.channels_last


def gradients(net: nn.Module, forward, x: Tensor) -> list[Tensor]:
    """Outputs, and gradients of x and of every parameter."""
    x = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    out = forward(x)
    out.square().sum().backward()
    return [out.detach(), x.grad, *(p.grad for p in net.parameters())]


def require_equal(want: list[Tensor], got: list[Tensor]) -> None:
    for a, b in zip(want, got, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-4 * float(a.abs().max()))


def last(x: Tensor) -> Tensor:
    """The same frames [T, N, C, H, W], every one with its channels innermost."""
    return x.flatten(0, 1).contiguous(memory_format=LAST).unflatten(0, x.shape[:2])


def layers() -> None:
    for channels, stride, size in ((3, 2, (8, 8)), (6, (2, 1), (8, 7)), (12, 2, (64, 64))):
        plain = Conv2d(channels, 8, 1, stride)
        x = torch.rand(2, 3, channels, *size)
        want = gradients(plain, plain, x)
        for weight, frames in ((LAST, last(x)), (LAST, x), (torch.contiguous_format, last(x))):
            net = copy.deepcopy(plain).to(memory_format=weight)
            require_equal(want, gradients(net, net, frames))


def quantized() -> None:
    weight = torch.randint(-9, 9, (8, 3, 1, 1)).float()
    linear = IntegerConv2d(weight.numpy().astype(np.int8), stride=(2, 2))
    frames = torch.randint(0, 2, (5, 3, 8, 8)).float()
    results = []
    for layout in (torch.contiguous_format, LAST):
        x, w = (t.clone(memory_format=layout).requires_grad_() for t in (frames, weight))
        out = convolve(x, w, linear)
        out.square().sum().backward()
        results.append([out.detach(), x.grad, w.grad])
    require_equal(*results)


def networks() -> None:
    for architecture in (PreActResNet((4, 8), (1, 1)), ResNet19((4, 8), (1, 1))):
        net = build(NetworkConfig(architecture, NeuronConfig(), (3, 16, 16), 10, 2, static=True))
        net = net.to(memory_format=LAST)
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        for _ in range(5):
            optimizer.zero_grad()
            loss = net(torch.rand(1, 6, 3, 16, 16)).square().sum()
            loss.backward()
            optimizer.step()
        assert loss.isfinite()


def compiled() -> None:
    plain = Conv2d(3, 8, 1, 2)
    net = copy.deepcopy(plain)
    x = torch.rand(2, 3, 3, 8, 8)
    require_equal(gradients(plain, plain, x), gradients(net, torch.compile(net), x))


if __name__ == "__main__":
    torch.manual_seed(0)
    for check in (compiled,) if "compile" in sys.argv else (layers, quantized, networks):
        check()
