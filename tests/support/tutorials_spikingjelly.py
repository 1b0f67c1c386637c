"""Networks of SpikingJelly as its tutorials and examples write them."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from support.tutorial_forms import FLAT, FRAME, Form, T, Written

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of optional parts, and Norse's of torch.jit.script
    from spikingjelly.activation_based import functional, layer, neuron


def conv_fc() -> nn.Module:
    return nn.Sequential(
        layer.Conv2d(1, 4, 3, padding=1, bias=False), layer.BatchNorm2d(4), neuron.IFNode(),
        layer.MaxPool2d(2, 2), layer.Flatten(), layer.Linear(64, 3, bias=False), neuron.IFNode(),
    )  # fmt: skip


def stack() -> nn.Module:
    return nn.Sequential(
        layer.Flatten(), layer.Linear(64, 10), neuron.LIFNode(), layer.Linear(10, 3),
        neuron.LIFNode(),
    )  # fmt: skip


def multi_step(forward: Callable[[Any, Tensor], Any], net: nn.Module) -> nn.Module:
    functional.set_step_mode(net, "m")
    return Written(forward, net=net)


def repeated(m: Any, x: Tensor) -> Tensor:
    return m.net(x.unsqueeze(0).repeat(T, 1, 1, 1, 1)).mean(0)


def expanded(m: Any, x: Tensor) -> Tensor:
    return m.net(x.unsqueeze(0).expand(T, -1, -1, -1, -1)).mean(0)


def counted(m: Any, x: Tensor) -> Any:
    out_fr: Any = 0.0
    for _ in range(T):
        out_fr += m.net(x)
    return out_fr / T


def counted_behind_static(m: Any, x: Tensor) -> Tensor:
    x = m.static(x)
    out: Tensor = m.net(x)
    for _ in range(1, T):
        out += m.net(x)
    return out / T


def counted_over(m: Any, x_seq: Tensor) -> Tensor:
    return torch.stack([m.net(x_seq[t]) for t in range(len(x_seq))]).mean(0)


def residual(m: Any, x: Tensor) -> Tensor:
    first = m.n1(m.c1(x.unsqueeze(0).repeat(T, 1, 1, 1, 1)))
    return m.head(m.n2(m.c2(first)) + first).mean(0)


def residual_net() -> nn.Module:
    net = Written(
        residual,
        c1=layer.Conv2d(1, 4, 3, padding=1), n1=neuron.LIFNode(),
        c2=layer.Conv2d(4, 4, 3, padding=1), n2=neuron.LIFNode(),
        head=nn.Sequential(layer.Flatten(), layer.Linear(256, 3)),
    )  # fmt: skip
    functional.set_step_mode(net, "m")
    return net


def containers() -> nn.Module:
    return Written(
        repeated,
        net=nn.Sequential(
            layer.SeqToANNContainer(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)),
            neuron.LIFNode(step_mode="m"),
            layer.SeqToANNContainer(nn.MaxPool2d(2, 2), nn.Flatten(), nn.Linear(64, 8)),
            layer.MultiStepContainer(neuron.LIFNode(), layer.Linear(8, 3), neuron.LIFNode()),
        ),
    )


def voting() -> nn.Module:
    return nn.Sequential(
        layer.Flatten(), layer.Linear(64, 30), neuron.LIFNode(), layer.VotingLayer(10)
    )


def potentials(decode: str | None) -> nn.Module:
    last = neuron.NonSpikingLIFNode(tau=3.0, decode=decode)
    return nn.Sequential(layer.Linear(16, 10), neuron.IFNode(), layer.Linear(10, 3), last)


def read_v(m: Any, x: Tensor) -> Tensor:
    for _ in range(T):
        m.net(x)
    return m.net[-1].v


SPIKINGJELLY: dict[str, Form] = {
    "repeat": Form(lambda: multi_step(repeated, conv_fc()), FRAME, 1),
    "expand": Form(lambda: multi_step(expanded, conv_fc()), FRAME, 1),
    "out_fr": Form(lambda: Written(counted, net=stack()), FRAME, 1),
    "static layer": Form(
        lambda: Written(
            counted_behind_static,
            static=nn.Conv2d(1, 1, 3, padding=1), net=nn.Sequential(neuron.IFNode(), *stack()),
        ),
        FRAME, 1,
    ),
    "x_seq[t]": Form(lambda: Written(counted_over, net=stack()), FRAME, T),
    "mean(0)": Form(lambda: multi_step(lambda m, x: m.net(x).mean(0), conv_fc()), FRAME, T),
    "residual": Form(residual_net, FRAME, 1),
    "containers": Form(containers, FRAME, 1),
    "voting": Form(lambda: multi_step(lambda m, x: m.net(x).mean(0), voting()), FRAME, T),
    "last_mem": Form(lambda: multi_step(lambda m, x: m.net(x), potentials("last_mem")), FLAT, T),
    "max-mem": Form(lambda: multi_step(lambda m, x: m.net(x), potentials("max-mem")), FLAT, T),
    "mean-mem": Form(
        lambda: multi_step(lambda m, x: m.net(x), potentials("mean-mem")), FLAT, T,
        "decode 'mean-mem' has no counterpart; use None, 'max-mem' or 'last_mem'",
    ),
    "v": Form(lambda: Written(read_v, net=stack()), FRAME, 1, "an attribute of it, such as v"),
}  # fmt: skip
