"""Less memory for the backward pass: spikes kept as bytes, batch norms' outputs computed again."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.weak import WeakTensorKeyDictionary

from arlif.layers import BatchNorm1d, BatchNorm2d
from arlif.neurons import SpikingNeuron
from arlif.neurons.modules import spikes_of

Restore = Callable[[], Tensor]


def compact(net: nn.Module) -> Callable[[Tensor], Tensor]:
    """The network as a function of its input whose backward pass keeps less; results are equal.

    A convolution keeps its input spikes as one byte each. A neuron keeps its input current, a batch
    norm's output, as that norm's input, which is kept anyway; the norm runs once more.
    """
    noted = {
        module: _spikes if isinstance(module, SpikingNeuron) else _normalized
        for module in net.modules()
        if isinstance(module, BatchNorm1d | BatchNorm2d) or _fires_only_spikes(module)
    }

    def run(x: Tensor) -> Tensor:
        restores: Any = WeakTensorKeyDictionary()

        def note(module: nn.Module, inputs: tuple[Tensor, ...], answer: Any) -> None:
            whole = _whole(spikes_of(answer))
            if module.training and whole.requires_grad:
                restores[whole] = noted[module](module, inputs[0].detach(), whole.detach())

        def pack(tensor: Tensor) -> Any:
            restore = restores.get(_whole(tensor))
            if restore is None:
                return tensor
            return restore, tensor.size(), tensor.stride(), tensor.storage_offset()

        with ExitStack() as stack:
            for module in noted:
                stack.callback(module.register_forward_hook(note).remove)
            stack.enter_context(saved_tensors_hooks(pack, _unpack))
            return net(x)

    return run


def _fires_only_spikes(module: nn.Module) -> bool:
    """Whether outputs are 0 and 1; neurons with a forward of their own may pass on other values."""
    return isinstance(module, SpikingNeuron) and type(module).forward is SpikingNeuron.forward


def _whole(tensor: Tensor) -> Tensor:
    """The tensor that `tensor` is a view of."""
    return tensor if tensor._base is None else tensor._base


def _spikes(neuron: nn.Module, x: Tensor, output: Tensor) -> Restore:
    return partial(output.bool().to, output.dtype)


def _normalized(norm: Any, x: Tensor, output: Tensor) -> Restore:
    weight, bias, eps = norm.weight, norm.bias, norm.eps

    def restore() -> Tensor:
        with torch.no_grad():
            frames = x.flatten(0, 1)  # as arlif.layers folds time and batch
            return nn.functional.batch_norm(frames, None, None, weight, bias, True, 0.0, eps)

    return restore


def _unpack(kept: Any) -> Tensor:
    if isinstance(kept, Tensor):
        return kept
    restore, size, stride, offset = kept
    return restore().as_strided(size, stride, offset)
