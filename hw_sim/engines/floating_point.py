"""The float side of every comparison: runs the torch module and records its neurons."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.base.cut import cut
from arlif.base.options import NoOptions
from arlif.core.network import INPUT, Pooled
from arlif.layers import evaluating
from arlif.neurons import SpikingNeuron
from arlif.neurons.modules import spikes_of
from arlif.neurons.recurrent import spiking_layers
from arlif.quantize.torch_graph import population_name, reads_last, require_plain
from hw_sim.engines.simulation import Simulation, Trace, count_type, joined
from hw_sim.engines.work import Outcome, Work
from hw_sim.origin.of_run import load_original


def run(work: Work[NoOptions]) -> Outcome:
    """The float network of the run."""
    module = load_original(work.path.parent).module
    return Outcome(simulate_float(module, work.real, work.traced))


@torch.no_grad()
def simulate_float(
    module: nn.Module,
    inputs: Tensor,
    traced: int = 0,
    batch: int = 256,
    ors: Mapping[str, Pooled] = MappingProxyType({}),
) -> Simulation:
    """Run a torch network on real inputs, [1, N, *shape] (static) or [T, N, *shape].

    traced: how many of the first samples to record, spikes and real-valued states of every neuron
    layer. ors: those of the quantized network, counted too. Names are those that quantization gives
    to populations. readout is float64, logits summed over time, the last ones where integrators
    without a leak give them, or as they are where the network returns their mean or sum,
    [N, classes].
    """
    require_plain(module)
    layers = {population_name(name): layer for name, layer in spiking_layers(module).items()}
    last = reads_last(module)
    parts = []
    with evaluating(module), _captured(layers) as captured:
        for part in cut(inputs.shape[1], batch):
            captured.clear()
            logits = module(inputs[:, part]).double()
            if logits.ndim == 3:
                logits = logits[-1] if last else logits.sum(0)
            ran = {
                name: tuple(map(torch.cat, zip(*calls, strict=True)))
                for name, calls in captured.items()
            }
            keep = max(0, traced - part.start)
            parts.append(
                Simulation(
                    logits.numpy(),
                    {name: _counts(spikes) for name, (_, spikes) in ran.items()}
                    | _ors(ors, {INPUT: inputs[:, part]} | {n: s for n, (_, s) in ran.items()}),
                    {
                        name: _trace(layers[name], x[:, :keep], spikes[:, :keep])
                        for name, (x, spikes) in ran.items()
                        if keep
                    },
                )
            )
    return joined(parts)


@contextmanager
def _captured(
    layers: dict[str, SpikingNeuron],
) -> Iterator[dict[str, list[tuple[Tensor, Tensor]]]]:
    """While open, what each neuron layer took and gave, call by call: in a loop, step by step."""
    captured: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def capture(name: str, arguments: tuple[Tensor, ...], answer: Any) -> None:
        captured.setdefault(name, []).append((arguments[0], spikes_of(answer)))

    hooks = [
        layer.register_forward_hook(lambda _, given, answer, n=name: capture(n, given, answer))
        for name, layer in layers.items()
    ]
    try:
        yield captured
    finally:
        for hook in hooks:
            hook.remove()


def _ors(ors: Mapping[str, Pooled], sent: dict[str, Tensor]) -> dict[str, NDArray[np.integer]]:
    steps = max(map(len, sent.values()))
    found: dict[str, NDArray[np.integer]] = {}
    frames = {name: values.numpy() != 0 for name, values in sent.items()}
    for name, pooled in ors.items():
        frames[name] = pooled(frames[pooled.source])
        shown = steps // len(frames[name])
        found[name] = (shown * frames[name].sum(0)).astype(count_type(steps))
    return found


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
