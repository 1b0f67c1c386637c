"""Neuron layers of other libraries: what they become, in reals as their library computes them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import Surrogate
from arlif.core.neuron import Neuron
from arlif.neurons import NeuronLayer
from arlif.neurons.modules import cast, run_steps


@dataclass(frozen=True)
class Cell:
    """What a neuron layer of another library becomes.

    parts: for each tensor that one call returns, the layer over [T, N, ...] that computes it, or
    why there is none, in words; what is behind the last is as the last. drive: a layer in front.
    keeps_state: whether the library's layer keeps its state by itself between two calls.
    """

    parts: tuple[nn.Module | str, ...]
    drive: nn.Module | None = None
    keeps_state: bool = False

    def part(self, number: int) -> nn.Module | str:
        """What the tensor of this number is computed by, or why it is not."""
        return self.parts[min(number, len(self.parts) - 1)]


class ForeignLayer(NeuronLayer):
    """Neurons in the words of their library, step by step without kernels.

    neuron: every operation in the library's order, so that floats are equal in every bit. folded: a
    neuron for integers, which fires the same spikes on the same currents but for the rounding of
    reals; None: the neuron itself.
    """

    def __init__(self, neuron: Neuron, folded: Neuron | None = None) -> None:
        super().__init__(neuron)
        self.folded = folded

    def lowered(self) -> tuple[Neuron, float]:
        return self.folded or self.real_neuron(), 1.0

    def run(
        self, x: Tensor, state: Any, surrogate: Surrogate, return_state: bool
    ) -> tuple[Tensor, Any]:
        self.fit(tuple(x.shape[2:]))
        return run_steps(cast(self.real_neuron(), x), FloatOps(surrogate), x, state)


def number(values: Any) -> Any:
    """A constant as a float, or as a float64 array where neurons have values of their own."""
    array = torch.as_tensor(values).detach().cpu().double().numpy()
    return array if differs(array) else float(array.flat[0])


def differs(values: Any) -> bool:
    """Whether a constant has more than one value."""
    return bool((np.asarray(values) != np.asarray(values).flat[0]).any())


def above(values: Any) -> Any:
    """The least float32 above each value: firing on h >= it is firing on h > the value."""
    real = torch.as_tensor(values).detach().cpu().float().numpy()
    single = np.nextafter(real, np.float32(np.inf)).astype(np.float64)
    return single if differs(single) else float(single.flat[0])
