"""The neurons that benchmarks compare: each maps currents [T, N, ...] to spikes of that shape."""

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor

from arlif.arithmetic.floating import FloatOps
from arlif.neurons import ARLIF, LIF
from arlif.neurons.modules import run_steps

Contender = Callable[[Tensor], Tensor]
OURS = "arlif AR-LIF"
PLAIN = "plain torch AR-LIF"
LIBRARIES = ("snnTorch Leaky", "Norse LIFBox", "SpikingJelly LIFNode")
"""The plain LIF neurons of others."""


def contenders(device: torch.device, compiled: bool) -> dict[str, Contender]:
    """Every contender that is installed, by name; torch.compile only where `compiled`."""
    found: dict[str, Contender] = {
        OURS: ARLIF().to(device),
        "arlif LIF": LIF().to(device),
        PLAIN: _plain(device),
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
