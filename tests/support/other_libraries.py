"""Networks in other libraries, run step by step: what tests and docs/interop.md are made of."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nir
import pytest
import torch
from torch import Tensor, nn

import arlif
from arlif import layers

with warnings.catch_warnings():
    # Norse 1.1 uses torch.jit.script; SpikingJelly and snnTorch warn about optional parts.
    warnings.simplefilter("ignore")
    for library in ("nirtorch", "norse", "snntorch", "spikingjelly"):
        pytest.importorskip(library)
    import norse.torch
    import snntorch.export_nir
    import snntorch.import_nir
    import snntorch.utils
    from spikingjelly.activation_based import nir_exchange

DT = 1e-4
SHAPE = (2, 8, 8)
NEURONS = ("2", "5", "8")
"""Where the spiking layers of `spiking_net` are."""

Spikes = dict[str, Tensor]
"""Spikes [T, N, neurons] by layer."""


def spiking_net(neuron: Callable[[], nn.Module]) -> nn.Sequential:
    """conv - norm - neuron - pool - conv - neuron - dense - neuron with lively weights."""
    torch.manual_seed(0)
    net = nn.Sequential(
        layers.Conv2d(2, 8, 3, padding=1),
        layers.BatchNorm2d(8),
        neuron(),
        layers.AvgPool2d(2),
        layers.Conv2d(8, 12, 3, padding=1),
        neuron(),
        layers.Flatten(),
        layers.Linear(192, 10),
        neuron(),
    ).eval()
    with torch.no_grad():
        for index in (0, 4, 7):
            net[index].weight.mul_(4)
            net[index].bias.add_(0.1)
        for module in net:
            if isinstance(module, arlif.ARLIF):
                module.alpha_raw.fill_(0.7)
                module.beta_raw.fill_(0.3)
    return net


def events(seed: int = 0, steps: int = 24, samples: int = 8) -> Tensor:
    """Random input spikes [T, N, 2, 8, 8]."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(steps, samples, *SHAPE, generator=generator) < 0.4).float()


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drops what other libraries print and warn about."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def recorded(net: nn.Module, names: tuple[str, ...], run: Callable[[], Any]) -> Spikes:
    """What the named modules give out while `run` runs, joined over time: [T, N, neurons]."""
    outputs: dict[str, list[Tensor]] = {name: [] for name in names}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, given, out: outputs[name].append(
            out[0] if isinstance(out, tuple) else out
        )

    hooks = [net.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    with torch.no_grad(), quietly():
        run()
    for hook in hooks:
        hook.remove()
    return {
        name: (parts[0] if len(parts) == 1 else torch.stack(parts)).flatten(2)
        for name, parts in outputs.items()
    }


def ours(net: nn.Module, x: Tensor, names: tuple[str, ...] = NEURONS) -> Spikes:
    """An arlif network over [T, N, ...]."""
    return recorded(net, names, lambda: net(x))


def outputs(net: nn.Module, x: Tensor) -> Tensor:
    """What a network gives out that takes (frame, state) and returns (output, state)."""
    state, found = None, []
    with torch.no_grad(), quietly():
        for frame in x:
            output, state = net(frame, state)
            found.append(output)
    return torch.stack(found)


def stepped(net: nn.Module, x: Tensor, names: tuple[str, ...]) -> Spikes:
    """The spikes of such a network."""
    return recorded(net, names, lambda: outputs(net, x))


READERS: dict[str, Callable[[nir.NIRGraph], nn.Module]] = {
    "snntorch": snntorch.import_nir.import_from_nir,
    "norse": lambda graph: norse.torch.from_nir(graph, dt=DT),
    "spikingjelly": lambda graph: nir_exchange.import_from_nir(graph, dt=DT),
}


def imported(library: str, path: Path) -> nn.Module:
    """The network that another library makes of a file, as docs/interop.md reads it."""
    with quietly():
        return READERS[library](nir.read(path, type_check=False))


def in_snntorch(path: Path, x: Tensor, names: tuple[str, ...] = NEURONS) -> Spikes:
    """A NIR file in snnTorch."""
    net = imported("snntorch", path)
    snntorch.utils.reset(net)
    return stepped(net, x, names)


def in_norse(path: Path, x: Tensor, names: tuple[str, ...] = NEURONS) -> Spikes:
    """A NIR file in Norse."""
    return stepped(imported("norse", path), x, names)


def in_spikingjelly(path: Path, x: Tensor, names: tuple[str, ...] = NEURONS) -> Spikes:
    """A NIR file in SpikingJelly."""
    return stepped(imported("spikingjelly", path), x, names)


LIBRARIES: dict[str, Callable[..., Spikes]] = {
    "snnTorch": in_snntorch,
    "Norse": in_norse,
    "SpikingJelly": in_spikingjelly,
}


def differing(a: Spikes, b: Spikes) -> tuple[int, int]:
    """Spikes that differ, of how many places."""
    pairs = [(a[name], b[name]) for name in a]
    assert all(x.shape == y.shape for x, y in pairs)
    return sum(int((x != y).sum()) for x, y in pairs), sum(x.numel() for x, _ in pairs)


def rate(spikes: Spikes) -> float:
    """Spikes per neuron and step, the least of all layers."""
    return min(float(s.mean()) for s in spikes.values())
