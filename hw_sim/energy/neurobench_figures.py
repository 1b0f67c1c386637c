"""The figures of the NeuroBench harness (2.3) for a float network, counted in exact integers.

NeuroBench (arXiv:2304.04640) looks at what dense and convolutional layers are given: a layer whose
inputs of one time step are all 0, 1 or -1 in the whole batch makes accumulates, any other one
multiply-accumulates; an operation is effective where neither input nor weight is 0.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from arlif.base.cut import cut
from arlif.base.errors import require
from arlif.layers import evaluating
from arlif.neurons import SpikingNeuron
from arlif.neurons.modules import spikes_of
from arlif.neurons.recurrent import Loop

CONNECTIONS = (nn.Linear, nn.Conv1d, nn.Conv2d)
"""The layers whose operations are counted."""
DIMENSIONS = (3, 4, 5)
"""How many their inputs [T, N, ...] have."""

FanOut = Callable[[nn.Module, torch.Size, bool], Tensor]
"""What _fan_out is."""


@dataclass
class _Counts:
    """What the layers of a network were seen doing, summed over batches."""

    effective: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    dense: int = 0
    updates: int = 0
    silent: int = 0
    activations: int = 0


def neurobench(
    net: nn.Module, real: Tensor, labels: NDArray[np.int64], time_steps: int, batch_size: int
) -> dict[str, Any]:
    """The dictionary that NeuroBench's harness prints of a network.

    net: over [T, N, ...]; its logits, averaged over time, decide. real: inputs, [1, N, *shape]
    (static) or [T, N, *shape]. labels: [N]. batch_size: samples at once; it matters, since a layer
    makes accumulates where no sample of a batch brings anything but 0, 1 and -1.
    ParameterCount; Footprint: bytes of parameters and buffers. ConnectionSparsity: share of weights
    that are 0. ActivationSparsity: share of spikes that are 0. SynapticOperations and
    MembraneUpdates (the first step of a neuron, and every later one that changes its membrane
    potential): per sample. ClassificationAccuracy: share of samples decided as labelled.
    Raises ArlifError where there are not as many labels as samples.
    """
    samples = real.shape[1]
    require(
        labels.shape == (samples,),
        f"{samples} samples need as many labels, not {labels.shape}",
    )
    total, sparsity, accuracy = _Counts(), 0.0, 0.0
    fan_out = cache(_fan_out)  # the same in every batch and step
    with evaluating(net), torch.inference_mode():
        net(real[:, :1])  # loops learn their shapes; what follows is all that is counted
        for part in cut(samples, batch_size):
            counts, size = _Counts(), part.stop - part.start
            with _watched(net, counts, time_steps, fan_out):
                logits = net(real[:, part])
            right = logits.mean(0).argmax(-1) == torch.from_numpy(labels[part])
            accuracy += right.float().mean().item() * size / samples
            silence = counts.silent / counts.activations if counts.activations else 0.0
            sparsity += silence * size / samples
            for kind in counts.effective:
                total.effective[kind] += counts.effective[kind]
            total.dense += counts.dense
            total.updates += counts.updates
    return {
        "ParameterCount": sum(p.numel() for p in net.parameters()),
        "Footprint": sum(
            t.numel() * t.element_size() for t in chain(net.parameters(), net.buffers())
        ),
        "ConnectionSparsity": _connection_sparsity(net),
        "ActivationSparsity": sparsity,
        "SynapticOperations": {
            "Effective_MACs": total.effective[False] / samples,
            "Effective_ACs": total.effective[True] / samples,
            "Dense": total.dense / samples,
        },
        "MembraneUpdates": total.updates / samples,
        "ClassificationAccuracy": accuracy,
    }


@contextmanager
def _watched(net: nn.Module, counts: _Counts, time_steps: int, fan_out: FanOut) -> Iterator[None]:
    """While open, what layers of the network do is counted."""
    handles: list[RemovableHandle] = []
    stepped = {part for loop in net.modules() if isinstance(loop, Loop) for part in loop.modules()}
    for name, layer in net.named_modules():
        if isinstance(layer, CONNECTIONS):
            steps = 1 if layer in stepped else time_steps
            handles.append(
                layer.register_forward_pre_hook(
                    lambda layer, given, name=name, steps=steps: _connect(
                        counts, name, layer, given[0], steps, fan_out
                    )
                )
            )
        elif isinstance(layer, SpikingNeuron):
            handles.append(
                layer.register_forward_hook(
                    lambda layer, given, out: _fire(counts, layer, given, spikes_of(out))
                )
            )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _connect(
    counts: _Counts, name: str, layer: nn.Module, x: Tensor, time_steps: int, fan_out: FanOut
) -> None:
    """Count the operations of a layer's inputs [T, N, ...]; one frame is shown at every step."""
    if isinstance(layer, nn.Conv1d) and x.ndim == 5:
        x = x.squeeze(3)
    kinds = zip(CONNECTIONS, DIMENSIONS, strict=True)
    wanted = next(n for kind, n in kinds if isinstance(layer, kind))
    require(
        x.ndim == wanted,
        f"{name} takes {tuple(x.shape)}, which has no time; NeuroBench counts step by step: take "
        "the mean over time behind the last layer",
    )
    repeated = time_steps // x.shape[0]
    every, kept = (fan_out(layer, x.shape[2:], binary) for binary in (False, True))
    counts.dense += int(every.sum()) * x.shape[0] * x.shape[1] * repeated
    for frame in x:
        spiking = bool(((frame == 0) | (frame.abs() == 1)).all())
        operations = int(((frame != 0) * kept).sum())
        counts.effective[spiking] += operations * repeated


def _fan_out(layer: nn.Module, shape: torch.Size, binary: bool) -> Tensor:
    """How many operations each input of a sample makes, int64; `binary`: of weights other than 0.

    That is the gradient of the sum of all outputs where every weight is 1.
    """
    assert isinstance(layer, CONNECTIONS)
    weight = (layer.weight != 0).double() if binary else torch.ones_like(layer.weight).double()
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
        if isinstance(layer, nn.Linear):
            out = nn.functional.linear(x, weight.clone())
        else:
            out = layer._conv_forward(x, weight.clone(), None)
        (found,) = torch.autograd.grad(out.sum(), x)
    return found[0].long()


def _fire(counts: _Counts, layer: SpikingNeuron, given: Any, spikes: Tensor) -> None:
    """Count the spikes and the changes of the membrane potential of one call."""
    counts.silent += int((spikes == 0).sum())
    counts.activations += spikes.numel()
    if not layer.stepwise:
        return
    x, state = given[0], given[1] if len(given) > 1 else None
    for frame in x.unsqueeze(1):
        before = state
        _, state = layer.forward(frame, before, True)
        counts.updates += frame.numel() if before is None else int((state[0] != before[0]).sum())


def _connection_sparsity(net: nn.Module) -> float:
    """As the harness rounds it: a quotient in float32, to four digits."""
    weights = [layer.weight for layer in net.modules() if isinstance(layer, CONNECTIONS)]
    if not weights:
        return 0.0
    zeros = torch.tensor(sum(int((weight == 0).sum()) for weight in weights))
    return round((zeros / sum(weight.numel() for weight in weights)).item(), 4)
