"""MPE-PSN: spikes of all time steps at once, from estimates of the membrane potentials before."""

from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from arlif.base.errors import LoweringError
from arlif.neurons.modules import SpikingNeuron, check_constants
from arlif.neurons.parallel import refuse_state

ESTIMATION_WEIGHT = 0.01
"""Share of the estimation errors in the loss, lambda_mem of the released CIFAR10-DVS runs."""


class MpePSN(SpikingNeuron):
    """Parallel neuron by membrane potential estimation (arXiv:2409.04978), as its authors released.

    e[t] = (1 - b[t]) x[t], b[t] = 1 with probability sigma(x[t]): what may be left of the potential
    h[t] = k e[t-1] + x[t], e[-1] = 0;  s[t] = [h[t] >= v]
    estimation_error = mean over steps and neurons of (e[t] - (1 - s[t]) h[t])^2 / T

    v is trained, one per layer. While training, every forward pass leaves its `estimation_error`
    for the loss, see `take_estimation_errors`; its weight per step, which the authors train, stays
    at its start 1 / T. It draws in eval mode too. decay: k in [0, 1]. v_threshold: where v starts.
    Raises ArlifError.
    """

    stepwise = False

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        self.decay = decay
        self.threshold = nn.Parameter(torch.tensor(float(v_threshold)))
        self.estimation_error: Tensor | None = None

    def learned(self) -> dict[str, Tensor]:
        return {"threshold": self.threshold}

    def forward(self, x: Tensor, state: Any = None, return_state: bool = False) -> Tensor:
        """Spikes [T, N, ...] for input currents x [T, N, ...]. Raises ArlifError."""
        self.check(x)
        refuse_state(self, state, return_state)
        currents = x.float() if x.dtype.itemsize < 4 else x
        estimates = currents * (1 - torch.bernoulli(currents.detach().sigmoid()))
        before = torch.cat([torch.zeros_like(currents[:1]), estimates[:-1]])
        h = self.decay * before + currents
        spikes = self.surrogate.spikes(h - self.threshold)
        if self.training:
            self.estimation_error = (estimates - (1 - spikes) * h).square().mean() / len(x)
        return spikes.to(x.dtype)

    def real_neuron(self) -> NoReturn:
        """Raise LoweringError: its spikes are drawn at random."""
        raise LoweringError(
            "MpePSN cannot be deployed: it draws random numbers at every step, and the integer "
            "specification is deterministic; train AR-LIF or LIF"
        )

    def extra_repr(self) -> str:
        return f"decay={self.decay}"


def take_estimation_errors(net: nn.Module) -> Tensor | None:
    """Sum of what the network's MpePSN layers left in their last forward pass; None without any.

    The layers forget it, so that no graph outlives the training step.
    """
    errors = []
    for layer in net.modules():
        if isinstance(layer, MpePSN) and layer.estimation_error is not None:
            errors.append(layer.estimation_error)
            layer.estimation_error = None
    return torch.stack(errors).sum() if errors else None
