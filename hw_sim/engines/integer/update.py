"""The update of one population over time steps: accumulators in, spikes out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from arlif.arithmetic.integer import TorchIntegerOps
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.steps import current
from arlif.kernels import integer_update
from arlif.kernels.reused import Empty

Update = Callable[[Tensor, int, Any, bool, bool], tuple[Tensor, Tensor, Any, dict[str, Tensor]]]
"""(accumulators, T, state, keep states, goes on) -> (spikes, counts, last state, states over time).

accumulators: integers of any type [T, N, *shape], or [1, N, *shape] where every step has the same.
state: None before the first step, then what the last call returned; it returns one where the run
goes on. spikes: uint8 [T, N, *shape]. counts: their sum over time, uint8 [N, *shape]. states over
time, where kept: int32 [T, N, *shape], by name.
"""


def population_update(
    population: Population, device: torch.device, empty: Empty = np.empty
) -> Update:
    """The fastest update of a population on a device: the fused kernel, or plain torch."""
    if device.type == "cpu" and integer_update.applies(population.neuron):
        return FusedUpdate(population, empty)
    return TorchUpdate(population, device)


class FusedUpdate:
    """All time steps in one pass over memory, on a CPU.

    Convolutions leave channels last, and so the kernel sees them.
    """

    def __init__(self, population: Population, empty: Empty = np.empty) -> None:
        self.update = integer_update.IntegerUpdate(population, empty)

    def __call__(
        self, accumulators: Tensor, steps: int, state: Any, keep_states: bool, goes_on: bool = True
    ) -> tuple[Tensor, Tensor, Any, dict[str, Tensor]]:
        """See Update."""
        last = accumulators.movedim(2, -1)

        def restore(values: Any) -> Tensor:
            return torch.from_numpy(values).movedim(-1, 2)

        done = self.update(last, steps, torch.get_num_threads(), state, keep_states, goes_on)
        states = {name: restore(values) for name, values in done.history.items()}
        counts = torch.from_numpy(done.counts).movedim(-1, 1)
        return restore(done.spikes), counts, done.state, states


class TorchUpdate:
    """One step after another in torch operations, on any device."""

    def __init__(self, population: Population, device: torch.device) -> None:
        self.neuron = _with_tensors(population.neuron, device)
        state = self.neuron.state_format
        self.ops = TorchIntegerOps(state, self.neuron.factor_bits, device)
        self.gain_ops = TorchIntegerOps(state, population.gain_shift, device)
        self.gain = torch.tensor(population.per_neuron(population.gain), device=device)
        self.bias = torch.tensor(population.per_neuron(population.bias), device=device)

    def __call__(
        self, accumulators: Tensor, steps: int, state: Any, keep_states: bool, goes_on: bool = True
    ) -> tuple[Tensor, Tensor, Any, dict[str, Tensor]]:
        """See Update."""
        x = current(self.gain_ops, accumulators.int(), self.gain, self.bias)
        if state is None:
            state = self.neuron.initial_state(torch.zeros_like(x[0]))
        spikes, states = [], []
        for now in x.expand(steps, *x.shape[1:]):
            fired, state = self.neuron.step(self.ops, state, now)
            spikes.append(fired)
            if keep_states:
                states.append(state)
        kept = {
            name: torch.stack([getattr(s, name) for s in states])
            for name in (state._fields if keep_states else ())
        }
        fired = torch.stack(spikes).to(torch.uint8)
        return fired, fired.sum(0, dtype=torch.uint8), state, kept


def _with_tensors(neuron: IntegerNeuron, device: torch.device) -> IntegerNeuron:
    """The neuron with its arrays (CUBA's bias) as tensors, which a step can add to tensors."""
    tensors = {
        name: torch.tensor(value, device=device) if isinstance(value, np.ndarray) else value
        for name, value in neuron.constants.items()
    }
    return neuron.with_numbers(tensors, neuron.tables)
