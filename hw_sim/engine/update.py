"""The update of one population over time steps: accumulators in, spikes out."""

from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from arlif.core.network import Population
from arlif.core.neurons import IntegerNeuron
from arlif.core.steps import current
from hw_sim.engine.torch_ops import TorchIntegerOps


class PopulationUpdate:
    """A population's neurons on a device."""

    def __init__(self, population: Population, device: torch.device) -> None:
        self.neuron, self.gain_shift = _on_device(population.neuron, device), population.gain_shift
        self.ops = TorchIntegerOps(self.neuron.state_format, device)
        self.gain = torch.tensor(population.per_neuron(population.gain), device=device)
        self.bias = torch.tensor(population.per_neuron(population.bias), device=device)

    def __call__(
        self, accumulators: Tensor, steps: int, state: Any, keep_states: bool
    ) -> tuple[Tensor, Any, dict[str, Tensor]]:
        """Spikes uint8 [T, N, *shape], the last state, and states over time if they are kept.

        accumulators: integers of any type [T, N, *shape], or [1, N, *shape] where every step has
        the same. state: None before the first step.
        """
        x = current(self.ops, accumulators.int(), self.gain, self.gain_shift, self.bias)
        if state is None:
            state = self.neuron.initial_state(torch.zeros_like(x[0]))
        spikes, states = [], []
        for now in x.expand(steps, *x.shape[1:]):
            fired, state = self.neuron.step(self.ops, state, now)
            spikes.append(fired)
            states.append(state)
        kept = {
            name: torch.stack([getattr(s, name) for s in states])
            for name in (state._fields if keep_states else ())
        }
        return torch.stack(spikes).to(torch.uint8), state, kept


def _on_device(neuron: IntegerNeuron, device: torch.device) -> IntegerNeuron:
    """The neuron with its arrays as tensors, which a step can add to tensors."""
    copied = copy(neuron)
    for name, value in vars(neuron).items():
        if isinstance(value, np.ndarray):
            object.__setattr__(copied, name, torch.tensor(value, device=device))
    return copied
