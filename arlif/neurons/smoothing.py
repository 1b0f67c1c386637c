"""Adaptive smoothing gradient learning (ASGL): LIF trained with a learned surrogate and noise."""

from typing import Any

import torch
from torch import Tensor, nn

from arlif.arithmetic.floating import FloatOps, TorchChoices
from arlif.base.errors import require
from arlif.neurons.modules import run_steps
from arlif.neurons.sequential import DecayLIF

SMOOTH_SHARE = 0.2
"""Share of neurons that pass on the smooth value while training: p of the released command
(github.com/Windere/ASGL-SNN), whose gamma = 1 keeps it over all epochs."""


class SmoothingOps(FloatOps):
    """FloatOps of which some neurons fire sigma(a (h - theta)) instead of a spike.

    a: steepness, a trained number. share: of the neurons, drawn anew at every step. The gradient is
    that of sigma(a (h - theta)) everywhere.
    """

    def __init__(self, a: Tensor, share: float) -> None:
        super().__init__()
        self.a, self.share = a, share

    select = TorchChoices.select  # between the two where a neuron fires in part

    def fire(self, h: Any, theta: Any) -> Any:
        soft = torch.sigmoid(self.a * (h - theta))
        spikes = (h >= theta).to(soft.dtype)
        spiking = torch.bernoulli(torch.full_like(soft, 1 - self.share))
        return soft + ((spikes - soft) * spiking).detach()


class AsglLIF(DecayLIF):
    """LIF with hard reset and a trained decay, by ASGL (Wang et al., ICML 2023, PMLR 202).

    While training, a random share of the neurons (SMOOTH_SHARE), drawn anew at every time step,
    passes on sigma(a (h - theta)) instead of its spike, and a, one per layer, is trained with the
    weights. In eval mode it is plain LIF, so it deploys as LIF does.

    decay: k that training starts at, in (0, 1). v_threshold: above 0. steepness: a at the start,
    above 0. Raises ArlifError.
    """

    def __init__(
        self, decay: float = 0.5, v_threshold: float = 1.0, steepness: float = 1.0
    ) -> None:
        super().__init__(decay, v_threshold)
        require(steepness > 0, f"the steepness must be positive, not {steepness}")
        self.steepness = nn.Parameter(torch.tensor(float(steepness)))

    def learned(self) -> dict[str, Tensor]:
        return {"steepness": self.steepness, **super().learned()}

    def forward(
        self, x: Tensor, state: Any = None, return_state: bool = False
    ) -> Tensor | tuple[Tensor, Any]:
        """Spikes (in part smooth while training) [T, N, ...] for currents x [T, N, ...]."""
        if not self.training:
            return super().forward(x, state, return_state)
        self.check(x)
        ops = SmoothingOps(self.steepness, SMOOTH_SHARE)
        spikes, state = run_steps(self.real_neuron(), ops, x, state)
        return (spikes, state) if return_state else spikes
