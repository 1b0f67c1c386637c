"""FPT: LIF with soft reset whose time steps are trained all at once (arXiv:2506.12087)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from arlif.neurons.modules import LIF
from arlif.neurons.parallel import refuse_state

SLOPES = (2.0, 6.0, 12.0)
"""Of the sigmoid in each round, "adaptive" in the released ImageNet runs
(github.com/WanjinVon/FPT)."""

GENTLER = 3.0
"""By how much a gradient's slope is below that of the value, and never below 1; as released."""


class FptLIF(LIF):
    """LIF with soft reset, trained by fixed-point iteration in parallel over time.

    h = L x - v (L - 1) p;  L[i, j] = k^(i - j) for j <= i;  p = sigma(a (h - v) / v)

    While training p starts at 0 and is found in three rounds of rising slope a; a spike is drawn
    with probability p, and its gradient goes to p unchanged. With a threshold in place of the
    sigmoid the iteration ends, after at most T rounds, at the spikes of LIF: so in eval mode, and
    wherever it is deployed, it is LIF with soft reset. decay: k in [0, 1]. v_threshold: v, above 0.
    Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0) -> None:
        super().__init__(decay, v_threshold, "soft")

    @property
    def stepwise(self) -> bool:
        """In eval mode."""
        return not self.training

    def forward(
        self, x: Tensor, state: Any = None, return_state: bool = False
    ) -> Tensor | tuple[Tensor, Any]:
        """Spikes [T, N, ...] for currents x [T, N, ...]; drawn at random while training."""
        if not self.training:
            return super().forward(x, state, return_state)
        self.check(x)
        refuse_state(self, state, return_state)
        p = self.probabilities(x, SLOPES)
        return p + (torch.bernoulli(p) - p).detach()

    def probabilities(self, x: Tensor, slopes: Sequence[float]) -> Tensor:
        """Of a spike, [T, N, ...], after a round of each slope."""
        kept = x.new_tensor([self.decay**n for n in range(len(x))])
        ages = torch.arange(len(x), device=x.device)
        age = ages[:, None] - ages
        decays = torch.where(age >= 0, kept[age.clamp(min=0)], 0)
        charged = torch.tensordot(decays, x / self.v_threshold, dims=1)
        reset = decays - torch.eye(len(x), dtype=x.dtype, device=x.device)
        p = torch.zeros_like(x)
        for slope in slopes:
            z = charged - torch.tensordot(reset, p, dims=1) - 1
            p = GentleSigmoid.apply(z, slope)  # type: ignore[no-untyped-call]
        return p


class GentleSigmoid(torch.autograd.Function):
    """sigma(a z) forward; backward the slope of sigma(b z), b = max(1, a / 3)."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, slope: float) -> Tensor:
        ctx.save_for_backward(z)
        ctx.slope = max(1.0, slope / GENTLER)
        return torch.sigmoid(slope * z)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        (z,) = ctx.saved_tensors
        gentle = torch.sigmoid(ctx.slope * z)
        return grad[0] * ctx.slope * gentle * (1 - gentle), None
