"""NIR files of other libraries, with the spikes that they give there, and nodes by hand."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron, nir_exchange
from torch import Tensor, nn

from arlif.base.seal import sealed_path
from support.other_libraries import DT, norse, quietly, snntorch, stepped


def lively(net: nn.Module) -> nn.Module:
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "weight" in name:
                parameter.mul_(8)
    return net


def spikes(*shape: int) -> Tensor:
    return (torch.rand(20, 6, *shape) < 0.5).float()


def from_snntorch(path: Path) -> tuple[Tensor, Tensor, float]:
    def leaky(beta: float, neurons: int) -> nn.Module:
        return snntorch.Leaky(
            beta=torch.full((neurons,), beta),
            threshold=torch.ones(neurons),
            init_hidden=True,
            reset_mechanism="zero",
            reset_delay=False,
        )

    net = lively(
        nn.Sequential(nn.Linear(20, 40), leaky(0.9, 40), nn.Linear(40, 10), leaky(0.5, 10))
    )
    x = spikes(20)
    with quietly():
        nir.write(path, snntorch.export_nir.export_to_nir(net, x[0, 0]))
    snntorch.utils.reset(net)
    with torch.no_grad():
        return x, torch.stack([net(frame) for frame in x]), DT


def from_norse(path: Path) -> tuple[Tensor, Tensor, float]:
    def box(inverse: float, neurons: int) -> nn.Module:
        values = (torch.full((neurons,), v) for v in (inverse, 0.0, 1.0, 0.0))
        return norse.torch.LIFBoxCell(norse.torch.LIFBoxParameters(*values))

    net = lively(
        norse.torch.SequentialState(
            nn.Linear(20, 40), box(500, 40), nn.Linear(40, 10), box(300, 10)
        )
    )
    x = spikes(20)
    # Norse 1.1 writes dt / tau_mem_inv where 1 / tau_mem_inv belongs; dt=1 undoes it.
    with quietly():
        nir.write(path, norse.torch.to_nir(net, x[0, 0], dt=1))
    return x, stepped(net, x, ("3",))["3"], 1e-3


def from_spikingjelly(path: Path) -> tuple[Tensor, Tensor, float]:
    net = nn.Sequential(
        layer.Conv2d(2, 8, 3, padding=1),
        neuron.LIFNode(tau=2.0, decay_input=False),
        layer.AvgPool2d(2, 2),
        layer.Conv2d(8, 16, 3),
        neuron.IFNode(),
        layer.Flatten(),
        layer.Linear(64, 10),
        neuron.LIFNode(tau=5.0),
    )
    x = spikes(2, 8, 8)
    with quietly():
        nir.write(path, nir_exchange.export_to_nir(lively(net), x[0]))
    functional.reset_net(net)
    with torch.no_grad():
        return x, torch.stack([net(frame) for frame in x]), DT


def lif(*shape: int, tau: float = 2e-4) -> nir.LIF:
    full = {"tau": tau, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return nir.LIF(**{name: np.full(shape, v, np.float32) for name, v in full.items()})


def conv(*weight: int, **changes: Any) -> nir.Conv2d:
    fields = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | changes
    rng = np.random.default_rng(0)
    return nir.Conv2d((6, 6), rng.normal(size=weight), bias=np.ones(weight[0]), **fields)


def write(path: Path, edges: list[tuple[str, str]] | None = None, **nodes: Any) -> None:
    names = list(nodes)
    chain = list(pairwise(names))
    graph = nir.NIRGraph(nodes, chain if edges is None else edges, type_check=False)
    with sealed_path(path) as temporary:  # read without a process of its own
        nir.write(temporary, graph)


def frames(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(3, 2, *shape)
