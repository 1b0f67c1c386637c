"""Networks of Norse's neurons, cells and over time, and what each spikes in Norse."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from support.norse_networks import run
from support.other_libraries import norse

CELLS = ("LIFCell", "LIFBoxCell, to value", "LIFBoxCell, subtract", "IAFCell", "LIFRecurrentCell")
OVER_TIME = ("LIF", "IAF", "LIFRecurrent")


def constants(features: int, apart: bool) -> dict[str, Tensor]:
    """Random constants: of every neuron its own, or one each."""
    size = (features,) if apart else ()
    rest = torch.empty(()).uniform_(-0.3, 0.3)
    return {
        "tau_mem_inv": torch.empty(size).uniform_(50, 900),
        "v_leak": rest,
        "v_th": torch.empty(size).uniform_(0.1, 0.5) + rest,
        "v_reset": torch.empty(size).uniform_(-0.5, 0.1),
    }


def neuron(kind: str, inputs: int, features: int, apart: bool) -> list[nn.Module]:
    """A layer of neurons, with a Linear in front where it has none of its own."""
    known: dict[str, Any] = constants(features, apart)
    slow = {"tau_syn_inv": torch.empty(known["v_th"].shape).uniform_(100, 1000)}
    name, _, reset = kind.partition(", ")
    if name.startswith("LIFRecurrent"):
        lif = norse.torch.LIFParameters(**known, **slow)
        return [getattr(norse.torch, name)(inputs, features, p=lif)]
    if name.startswith("LIFBox"):
        method = getattr(
            norse.torch.functional.reset, "reset_subtract" if reset == "subtract" else "reset_value"
        )
        p = norse.torch.LIFBoxParameters(**known, reset_method=method)
    elif name.startswith("IAF"):
        p = norse.torch.IAFParameters(v_th=known["v_th"], v_reset=known["v_leak"])
    else:
        p = norse.torch.LIFParameters(**known, **slow)
    return [nn.Linear(inputs, features), getattr(norse.torch, name)(p=p)]


def network(kind: str, sizes: list[int], apart: bool) -> nn.Module:
    """A SequentialState of lively layers."""
    pairs = pairwise(sizes)
    net = norse.torch.SequentialState(*(m for a, b in pairs for m in neuron(kind, a, b, apart)))
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Linear):
                module.weight.mul_(4)
    return net.eval()


class Loop(nn.Module):
    """The same layers in a loop of their own."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(net.children())

    def forward(self, x: Tensor) -> Tensor:
        states: list[Any] = [None] * len(self.parts)
        spikes = []
        for frame in x:
            for number, part in enumerate(self.parts):
                if isinstance(part, nn.Linear):
                    frame = part(frame)
                else:
                    frame, states[number] = part(frame, states[number])
            spikes.append(frame)
        return torch.stack(spikes)


def spikes(net: nn.Module, x: Tensor) -> Tensor:
    """What Norse computes for x [T, N, ...], whatever the network takes."""
    with torch.no_grad():
        if isinstance(net, Loop):
            found: Tensor = net(x)
        elif any(isinstance(m, norse.torch.module.snn.SNNCell) for m in net.modules()) or any(
            isinstance(m, norse.torch.LIFRecurrentCell) for m in net.modules()
        ):
            found = run(net, x)
        else:
            found = net(x)[0]
    return found
