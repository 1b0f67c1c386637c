"""Adaptive smoothing gradient learning (ASGL): LIF trained with a learned surrogate and noise."""

from typing import Any

import torch
from torch import Tensor, nn

from arlif.arithmetic.floating import FloatOps, TorchChoices
from arlif.base.errors import require
from arlif.core.real_neurons import RealLifSoft
from arlif.neurons.modules import SpikingNeuron, check_constants, run_steps

SMOOTH_SHARE = 0.5
"""Share of neurons that pass on the smooth value while training, p in the released code."""


class SmoothingOps(FloatOps):
    """FloatOps whose neurons fire sigma(a (h - theta)) instead of a spike where `smooth` is 1.

    a: steepness, a trained number. smooth: 0 or 1 per neuron, [N, ...]. The gradient is that of
    sigma(a (h - theta)) everywhere.
    """

    def __init__(self, a: Tensor, smooth: Tensor) -> None:
        super().__init__()
        self.a, self.smooth = a, smooth

    select = TorchChoices.select  # between the two where a neuron fires in part

    def fire(self, h: Any, theta: Any) -> Any:
        soft = torch.sigmoid(self.a * (h - theta))
        spikes = (h >= theta).to(soft.dtype)
        return soft + ((spikes - soft) * (1 - self.smooth)).detach()


class AsglLIF(SpikingNeuron):
    """LIF with soft reset, trained by ASGL (Wang et al., ICML 2023, PMLR 202).

    While training, a random half of the neurons, drawn per batch and kept over time, passes on
    sigma(a (h - theta)) instead of its spike, and a, one per layer, is trained with the weights.
    In eval mode it is plain LIF, so it deploys as LIF does.

    decay: k in [0, 1]. v_threshold: above 0. steepness: a at the start, above 0.
    Raises ArlifError.
    """

    def __init__(
        self, decay: float = 0.5, v_threshold: float = 1.0, steepness: float = 1.0
    ) -> None:
        super().__init__()
        check_constants(decay, v_threshold)
        require(steepness > 0, f"the steepness must be positive, not {steepness}")
        self.decay, self.v_threshold = decay, v_threshold
        self.steepness = nn.Parameter(torch.tensor(float(steepness)))

    def learned(self) -> dict[str, Tensor]:
        return {"steepness": self.steepness}

    def real_neuron(self) -> RealLifSoft:
        return RealLifSoft(self.decay, self.v_threshold)

    def forward(
        self, x: Tensor, state: Any = None, return_state: bool = False
    ) -> Tensor | tuple[Tensor, Any]:
        """Spikes (in part smooth while training) [T, N, ...] for currents x [T, N, ...]."""
        if not self.training:
            return super().forward(x, state, return_state)
        self.check(x)
        smooth = torch.bernoulli(torch.full_like(x[0], SMOOTH_SHARE))
        ops = SmoothingOps(self.steepness, smooth)
        spikes, state = run_steps(self.real_neuron(), ops, x, state)
        return (spikes, state) if return_state else spikes

    def extra_repr(self) -> str:
        return f"decay={self.decay}, v_threshold={self.v_threshold}"
