"""Parallel spiking neurons (arXiv:2304.12760): all time steps at once, no reset, float only."""

import math
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from arlif.base.errors import LoweringError, require
from arlif.neurons.modules import SpikingNeuron


class ParallelNeuron(SpikingNeuron):
    """H = W X over time, S = [H >= B]; subclasses say what W is.

    There is no state between steps, so none can be given or returned.
    """

    stepwise = False

    def weights(self, time_steps: int) -> Tensor:
        """W, [T, T]. Raises ArlifError where the neuron was made for another T."""
        raise NotImplementedError

    def thresholds(self) -> Tensor:
        """B, [T] or one for all steps."""
        raise NotImplementedError

    def forward(self, x: Tensor, state: Any = None, return_state: bool = False) -> Tensor:
        """Spikes [T, N, ...] for input currents x [T, N, ...]. Raises ArlifError."""
        self.check(x)
        refuse_state(self, state, return_state)
        h = torch.tensordot(self.weights(len(x)).to(x.dtype), x, dims=1)
        b = self.thresholds().to(x.dtype).view(-1, *(1 for _ in x.shape[1:]))
        return self.surrogate.spikes(h - b)

    def real_neuron(self) -> NoReturn:
        """Raise LoweringError: there is no step that integer hardware could repeat."""
        raise LoweringError(
            f"{type(self).__name__} cannot be deployed: every output needs inputs of other time "
            "steps, and the integer specification computes step by step; train AR-LIF or LIF"
        )


def refuse_state(neuron: SpikingNeuron, state: Any, return_state: bool) -> None:
    """Raise ArlifError where a state is given to, or wanted from, a neuron that keeps none."""
    require(
        state is None and not return_state,
        f"{type(neuron).__name__} computes all time steps at once and has no state to continue",
    )


class PSN(ParallelNeuron):
    """Parallel spiking neuron (arXiv:2304.12760, Eqs. 9-10): W [T, T] and B [T] are trained.

    H = W X;  S = [H >= B]. Needs the whole future: output t reads inputs after t.
    """

    def __init__(self, time_steps: int, width: float = 1.0) -> None:
        super().__init__(width)
        self.weight = nn.Parameter(torch.empty(time_steps, time_steps))
        self.bias = nn.Parameter(torch.full((time_steps,), -1.0))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def weights(self, time_steps: int) -> Tensor:
        """The trained matrix."""
        require(
            time_steps == len(self.weight),
            f"this {type(self).__name__} was made for T = {len(self.weight)}, not {time_steps}",
        )
        return self.weight

    def thresholds(self) -> Tensor:
        """B, trained, starts at 1."""
        return -self.bias


class MaskedPSN(PSN):
    """Masked PSN (arXiv:2304.12760, Eqs. 11-12): output t reads inputs t - order + 1 to t only.

    order: k in the paper, 1 to T. The paper closes the mask gradually while training; here it is
    closed from the start.
    """

    def __init__(self, time_steps: int, order: int = 2, width: float = 1.0) -> None:
        super().__init__(time_steps, width)
        require(1 <= order <= time_steps, f"the order lies in 1 to T = {time_steps}, not {order}")
        ones = torch.ones(time_steps, time_steps)
        self.register_buffer("mask", ones.tril() - ones.tril(-order), persistent=False)

    def weights(self, time_steps: int) -> Tensor:
        """The trained matrix, masked."""
        return super().weights(time_steps) * self.get_buffer("mask")


class SlidingPSN(ParallelNeuron):
    """Sliding PSN (arXiv:2304.12760, Eqs. 13-14): one filter of `order` taps for every step.

    H[t] = sum_i w[i] X[t - order + 1 + i], inputs before the first being 0;  S[t] = [H[t] >= v].
    The taps start at ..., 1/4, 1/2, 1, the impulse response of LIF with decay 1/2; v starts at 1.
    """

    def __init__(self, order: int = 2, width: float = 1.0) -> None:
        super().__init__(width)
        require(order >= 1, f"the order is at least 1, not {order}")
        self.weight = nn.Parameter(2.0 ** torch.arange(1 - order, 1))
        self.bias = nn.Parameter(torch.tensor(-1.0))

    def weights(self, time_steps: int) -> Tensor:
        """The filter as a banded matrix [T, T]."""
        lag = torch.arange(time_steps, device=self.weight.device)
        lag = lag[:, None] - lag[None, :]
        order = len(self.weight)
        inside = (lag >= 0) & (lag < order)
        return torch.where(inside, self.weight[(order - 1 - lag).clamp(0, order - 1)], 0.0)

    def thresholds(self) -> Tensor:
        """v, trained, starts at 1."""
        return -self.bias

    def learned(self) -> dict[str, Tensor]:
        return {"threshold": self.thresholds()}
