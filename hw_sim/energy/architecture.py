"""Operations of a torch network per time step, as the literature counts them.

A convolution or dense layer whose inputs are spikes makes accumulates, any other one
multiply-accumulates; averages of spikes are no spikes, so layers behind a pool count as the latter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import torch
from torch import Tensor, nn

from arlif.networks import NetworkConfig, build
from arlif.networks.summary import flops, multiply_accumulates
from arlif.neurons import SpikingNeuron
from arlif.neurons.modules import spikes_of
from arlif.neurons.recurrent import Loop


@dataclass(frozen=True)
class DenseLayer:
    """One convolution or dense layer per sample and time step.

    connections: multiply-accumulates of a dense evaluation. biases: additions of a bias.
    shortcut: a strided 1 x 1 convolution. source: the last neurons before it, by name; empty where
    it reads the network's input. spiking: its inputs are 0 or 1. graded: its input is the
    network's. window: mean number of spikes that one input averages, 1 without a pool; so
    connections * window events reach it where pools are sums of events.
    """

    name: str
    connections: int
    biases: int
    shortcut: bool
    source: str
    spiking: bool
    graded: bool
    window: float


@dataclass(frozen=True)
class DenseNetwork:
    """All such layers, neurons and trained parameters of a network."""

    layers: tuple[DenseLayer, ...]
    neurons: int
    parameters: int

    @property
    def graded_connections(self) -> int:
        """Connections of layers fed with the network's input."""
        return sum(layer.connections for layer in self.layers if layer.graded)


def dense_network(config: NetworkConfig) -> DenseNetwork:
    """Count a network's layers by watching one step in which neurons fire at random."""
    net = build(replace(config, time_steps=1)).eval()
    watch = _Watch({n: loop for n, loop in net.named_modules() if isinstance(loop, Loop)})
    frame = torch.rand(1, 1, *config.input_shape, generator=watch.generator)
    if watch.loops:
        with torch.inference_mode():
            net(frame)  # a loop tries its layers once, to know their shapes
    for name, module in net.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda layer, inputs, out, name=name: watch.see(name, layer, inputs[0], out)
            )
    with torch.inference_mode():
        net(frame)
    return DenseNetwork(
        tuple(watch.layers), watch.neurons, sum(p.numel() for p in net.parameters())
    )


class _Watch:
    """Sees every layer run, in order. loops: those of the network, by path.

    In the one step nothing has come back yet, so what waits is fed with zeros.
    """

    def __init__(self, loops: Mapping[str, Loop]) -> None:
        self.loops = loops
        self.titles = {
            f"{path}.neurons.{name}": title
            for path, loop in loops.items()
            for name, title in loop.paths(path).items()
        }
        self.waiting = {
            f"{path}.layers.{index}": loop.paths(path)[connection.source]
            for path, loop in loops.items()
            for index, connection in enumerate(loop.connections)
            if connection.delay and connection.source in loop.neurons
        }
        self.generator = torch.Generator().manual_seed(0)
        self.layers: list[DenseLayer] = []
        self.neurons = 0
        self.window = 1.0
        self.last = ""
        self.sent: dict[int, tuple[str, Tensor]] = {}

    def see(self, name: str, layer: nn.Module, x: Tensor, out: Any) -> Any:
        """Note a layer; replaces what a neuron sends by random spikes."""
        if isinstance(layer, SpikingNeuron):
            fired = spikes_of(out)
            self.neurons += fired.numel()
            self.window = 1.0
            spikes = torch.bernoulli(torch.full_like(fired, 0.5), generator=self.generator)
            self.last = self.titles.get(name, name)
            self.sent[spikes.data_ptr()] = self.last, spikes
            return (spikes, out[1]) if isinstance(out, tuple) else spikes
        if isinstance(layer, nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            self.window *= _mean_window(layer, x, out)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            found = (s for at, s in self.waiting.items() if f"{name}.".startswith(f"{at}."))
            waited = next(found, None)
            self.layers.append(
                DenseLayer(
                    name,
                    connections := multiply_accumulates(layer, out),
                    flops(layer, out) - 2 * connections,
                    shortcut=_is_shortcut(layer),
                    source=waited or self.sent.get(x.data_ptr(), (self.last, x))[0],
                    spiking=bool(((x == 0) | (x == 1)).all()),
                    graded=self.neurons == 0 and waited is None,
                    window=1.0 if waited else self.window,
                )
            )
        return None


def _is_shortcut(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) != layer.stride


def _mean_window(pool: nn.Module, x: Tensor, out: Tensor) -> float:
    """Inputs per output of a pool without padding, mean over outputs."""
    if isinstance(pool, nn.AvgPool2d):
        kernel = pool.kernel_size
        return float(kernel * kernel if isinstance(kernel, int) else kernel[0] * kernel[1])
    mean = 1.0
    for n, m in zip(x.shape[-2:], out.shape[-2:], strict=True):
        mean *= sum(ceil((i + 1) * n / m) - floor(i * n / m) for i in range(m)) / m
    return mean
