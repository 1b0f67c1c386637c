"""What a network consists of and costs: parameters, neurons, multiply-accumulates per layer."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from arlif.networks.builder import NetworkConfig, build
from arlif.neurons import SpikingNeuron
from arlif.neurons.modules import spikes_of

SHOWN = (
    SpikingNeuron,
    *(nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d),
    *(nn.AvgPool1d, nn.MaxPool1d, nn.AdaptiveAvgPool1d),
)
"""Layers that are shown even where they have no parameters."""


@dataclass(frozen=True)
class LayerSummary:
    """One layer, per sample and time step.

    kind: class name. output: shape without T and N. neurons: spiking neurons, 0 elsewhere.
    macs: multiply-accumulates of a dense evaluation. flops: 2 per multiply-accumulate, plus one
    per bias added.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    neurons: int
    macs: int
    flops: int


@dataclass(frozen=True)
class NetworkSummary:
    """All layers that have parameters or neurons, and pools, in the order they run."""

    layers: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """Trained numbers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def neurons(self) -> int:
        """Spiking neurons."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a dense evaluation, per time step."""
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> int:
        """Floating-point operations of convolutions and dense layers, per time step."""
        return sum(layer.flops for layer in self.layers)


def summarize(config: NetworkConfig) -> NetworkSummary:
    """Build the network and run one empty sample through it for one time step."""
    found: list[LayerSummary] = []
    whole = dict(build(config).named_modules())  # parallel neurons have parameters per time step
    net = build(replace(config, time_steps=1)).eval()
    for name, module in net.named_modules():
        has_numbers = next(whole[name].parameters(), None) is not None
        if not list(module.children()) and (has_numbers or isinstance(module, SHOWN)):
            module.register_forward_hook(
                lambda layer, _, out, name=name: found.append(
                    _layer(name, layer, spikes_of(out), whole[name])
                )
            )
    with torch.inference_mode():
        net(torch.zeros(1, 1, *config.input_shape))
    return NetworkSummary(tuple(found))


def multiply_accumulates(layer: nn.Module, out: Tensor) -> int:
    """Of a dense evaluation; 0 for layers without weights."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return 0
    return out.numel() * (layer.weight.numel() // len(layer.weight))


def flops(layer: nn.Module, out: Tensor) -> int:
    """2 per multiply-accumulate, plus one per bias added."""
    biased = isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None
    return 2 * multiply_accumulates(layer, out) + (out.numel() if biased else 0)


def _layer(name: str, layer: nn.Module, out: Tensor, whole: nn.Module) -> LayerSummary:
    return LayerSummary(
        name,
        type(layer).__name__,
        tuple(out.shape[2:]),
        sum(p.numel() for p in whole.parameters()),
        out.numel() if isinstance(layer, SpikingNeuron) else 0,
        multiply_accumulates(layer, out),
        flops(layer, out),
    )
