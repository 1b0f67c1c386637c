"""MPD-AGL: LIF whose surrogate is as wide as its membrane potentials are spread."""

from typing import Any

import torch
from torch import Tensor

from arlif.arithmetic.surrogates import Rectangle
from arlif.neurons.sequential import DecayLIF

EPSILON = 1e-5
"""Added to variances, as in torch.nn.BatchNorm2d: equal currents leave a width above 0."""


class AglLIF(DecayLIF):
    """LIF with hard reset and a trained decay, by MPD-AGL (arXiv:2505.11863, Theorems 1 and 2).

    The rectangular surrogate's width is twice the spread of the membrane potential before any
    reset: 2 sigma at the first step, 2 sigma sqrt(1 + k^2) at the others, for currents of standard
    deviation sigma, the mean over channels. Behind a batch norm sigma is the mean of its scales
    (times the threshold, where the paper's batch norm multiplies by it); here it is measured on
    the currents themselves. In eval mode it is plain LIF.

    decay: k that training starts at, in (0, 1); v_threshold: above 0 (released: 0.2 and 0.5, or
    0.5 with the option that its program has on). Raises ArlifError.
    """

    def forward(
        self, x: Tensor, state: Any = None, return_state: bool = False
    ) -> Tensor | tuple[Tensor, Any]:
        """Spikes [T, N, ...] for currents x [T, N, C, ...]; without a C, all are one channel."""
        if not self.training:
            return super().forward(x, state, return_state)
        self.check(x)
        width = 2 * spread(x)
        wide = width * (1 + self.decay.item() ** 2) ** 0.5
        beginning = Rectangle(width if state is None else wide)
        first, state = self.run(x[:1], state, beginning, True)
        if len(x) == 1:
            return (first, state) if return_state else first
        others, state = self.run(x[1:], state, Rectangle(wide), return_state)
        spikes = torch.cat([first, others])
        return (spikes, state) if return_state else spikes


def spread(x: Tensor) -> float:
    """Standard deviation of currents [T, N, C, ...] within a channel, mean over channels."""
    others = [axis for axis in range(x.ndim) if axis != 2]
    return float((x.detach().float().var(others, correction=0) + EPSILON).sqrt().mean())
