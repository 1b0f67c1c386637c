"""The float side of every comparison: runs the torch module and records its neurons."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.neurons import SpikingNeuron
from hw_sim.simulation import Simulation, Trace, count_type, joined


@torch.no_grad()
def simulate_float(
    module: nn.Module, inputs: Tensor, traced: int = 0, batch: int = 256
) -> Simulation:
    """Run a torch network on real inputs, [1, N, *shape] (static) or [T, N, *shape].

    traced: how many of the first samples to record, spikes and real-valued states of every neuron
    layer. Names are those that quantization gives to populations. readout is float64, logits summed
    over time, or as they are where the network returns their mean, [N, classes].
    """
    module.eval()
    layers = {
        name.replace(".", "_"): layer
        for name, layer in module.named_modules()
        if isinstance(layer, SpikingNeuron)
    }
    captured: dict[str, tuple[Tensor, Tensor]] = {}
    hooks = [
        layer.register_forward_hook(_capture(captured, name)) for name, layer in layers.items()
    ]
    parts = []
    try:
        for start in range(0, inputs.shape[1], batch):
            logits = module(inputs[:, start : start + batch]).double()
            keep = max(0, min(batch, traced - start))
            parts.append(
                Simulation(
                    (logits.sum(0) if logits.ndim == 3 else logits).numpy(),
                    {name: _counts(spikes) for name, (_, spikes) in captured.items()},
                    {
                        name: _trace(layers[name], x[:, :keep], spikes[:, :keep])
                        for name, (x, spikes) in captured.items()
                        if keep
                    },
                )
            )
    finally:
        for hook in hooks:
            hook.remove()
    return joined(parts)


def _capture(captured: dict[str, tuple[Tensor, Tensor]], name: str) -> Any:
    def hook(layer: nn.Module, arguments: tuple[Tensor], spikes: Tensor) -> None:
        captured[name] = (arguments[0], spikes)

    return hook


def _counts(spikes: Tensor) -> NDArray[np.integer]:
    return spikes.sum(0).numpy().astype(count_type(len(spikes)))


def _trace(layer: SpikingNeuron, x: Tensor, spikes: Tensor) -> Trace:
    state: Any = None
    history = []
    for current in x:
        _, state = layer(current[None], state, return_state=True)
        history.append(state)
    return Trace(
        spikes.bool().numpy(),
        {
            name: np.stack([getattr(state, name).numpy() for state in history])
            for name in state._fields
        },
    )
