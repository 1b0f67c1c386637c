"""The neurons that benchmarks compare: each maps currents [T, N, ...] to spikes of that shape."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from arlif.arithmetic.floating import FloatOps
from arlif.neurons import ARLIF, LIF
from arlif.neurons.modules import run_steps

Contender = Callable[[Tensor], Tensor]
OURS = "arlif AR-LIF"
PLAIN = "plain torch AR-LIF"
BARE = "bare torch loop of LIF"
LIBRARIES = ("snnTorch Leaky", "Norse LIFBox", "SpikingJelly LIFNode")
OTHERS = (BARE, *LIBRARIES)
"""The plain LIF neurons of others, and what one writes oneself in a few lines."""


def contenders(device: torch.device, compiled: bool) -> dict[str, Contender]:
    """Every contender that is installed, by name; torch.compile only where `compiled`."""
    found: dict[str, Contender] = {
        OURS: ARLIF().to(device),
        "arlif LIF": LIF().to(device),
        PLAIN: _plain(device),
        BARE: _bare,
    }
    if compiled:
        found["torch.compile AR-LIF"] = torch.compile(_plain(device), fullgraph=True)
    for name, package, make in zip(
        LIBRARIES, ("snntorch", "norse", "spikingjelly"), (_snntorch, _norse, _jelly), strict=True
    ):
        if find_spec(package):
            found[name] = make(device)
    return found


def _plain(device: torch.device) -> Contender:
    neuron, ops = ARLIF().to(device), FloatOps()
    return lambda x: run_steps(neuron.real_neuron(), ops, x, None)[0]


class _Spike(torch.autograd.Function):
    """v >= 0, with the rectangular surrogate gradient of width 1."""

    @staticmethod
    def forward(ctx: Any, v: Tensor) -> Tensor:
        ctx.save_for_backward(v)
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (v,) = ctx.saved_tensors
        return gradient * (v.abs() <= 0.5)


def _bare(x: Tensor) -> Tensor:
    """u = u / 2 + x; it fires where u reaches 1, which is subtracted then."""
    u, spikes = torch.zeros_like(x[0]), []
    for current in x:
        u = 0.5 * u + current
        spike = _Spike.apply(u - 1.0)
        u = u - spike
        spikes.append(spike)
    return torch.stack(spikes)


def _snntorch(device: torch.device) -> Contender:
    import snntorch

    neuron = snntorch.Leaky(beta=0.5).to(device)

    def run(x: Tensor) -> Tensor:
        mem, spikes = neuron.init_leaky(), []
        for current in x:
            spike, mem = neuron(current, mem)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


def _norse(device: torch.device) -> Contender:
    from norse.torch import LIFBoxCell

    neuron = LIFBoxCell(dt=0.005).to(device)  # 1/tau is 100 per second: v decays by 0.5

    def run(x: Tensor) -> Tensor:
        state, spikes = None, []
        for current in x:
            spike, state = neuron(current, state)
            spikes.append(spike)
        return torch.stack(spikes)

    return run


def _jelly(device: torch.device) -> Contender:
    from spikingjelly.activation_based import functional, neuron

    node = neuron.LIFNode(tau=2.0, step_mode="m").to(device)

    def run(x: Tensor) -> Tensor:
        functional.reset_net(node)
        return node(x)

    return run
