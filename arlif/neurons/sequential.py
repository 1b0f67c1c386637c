"""Neurons to compare with, stepping through time."""

import torch
from torch import Tensor, nn

from arlif.base.errors import require
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealClif, RealLifHard, RealLifSubtract, RealLifWeighted
from arlif.neurons.modules import SpikingNeuron, check_constants


class CLIF(SpikingNeuron):
    """Complementary LIF neuron (arXiv:2402.04663), see core.steps.clif_step; nothing is trained.

    decay: k = 1 - 1/tau in [0, 1). v_threshold: above 0. Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        require(decay < 1, f"CLIF has a finite tau = 1 / (1 - k), so k is below 1, not {decay}")
        self.decay, self.v_threshold = decay, v_threshold

    def real_neuron(self) -> RealClif:
        return RealClif(self.decay, self.v_threshold)

    def extra_repr(self) -> str:
        return f"decay={self.decay}, v_threshold={self.v_threshold}"


class LearnableResetLIF(SpikingNeuron):
    """LIF with soft reset by a trained amount, one per layer, that starts at the threshold.

    decay: k in [0, 1]. v_threshold: above 0. Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        self.decay, self.v_threshold = decay, v_threshold
        self.v_reset = nn.Parameter(torch.tensor(float(v_threshold)))

    def learned(self) -> dict[str, Tensor]:
        return {"v_reset": self.v_reset}

    def real_neuron(self) -> RealLifSubtract:
        return RealLifSubtract(self.decay, self.v_threshold, self.v_reset, hold=0.0)

    def extra_repr(self) -> str:
        return f"decay={self.decay}, v_threshold={self.v_threshold}"


class PLIF(SpikingNeuron):
    """Parametric LIF neuron (arXiv:2007.05785, Eq. 8): LIF whose time constant is trained.

    h = u + sigma(w) (x - u);  s = [h >= v];  u = (1 - s) h;  one w per layer.
    decay: k = 1 - sigma(w) that training starts at, in (0, 1). Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        require(0 < decay < 1, f"PLIF starts at a decay between 0 and 1, not {decay}")
        self.v_threshold = v_threshold
        self.w = nn.Parameter(torch.logit(torch.tensor(1.0 - decay)))
        _require_finite(self, decay)

    @property
    def decay(self) -> Tensor:
        """k = 1 - sigma(w) = 1 - 1/tau."""
        return 1 - self.w.sigmoid()

    def learned(self) -> dict[str, Tensor]:
        return {"decay": self.decay}

    def real_neuron(self) -> RealLifWeighted:
        return RealLifWeighted(self.decay, self.v_threshold, self.w.sigmoid())

    def lowered(self) -> tuple[RealLifHard, float]:
        """LIF with hard reset, its currents multiplied by 1 - k."""
        return RealLifHard(self.decay, self.v_threshold), self.w.sigmoid().item()

    def extra_repr(self) -> str:
        return f"v_threshold={self.v_threshold}"


class DecayLIF(SpikingNeuron):
    """LIF with hard reset and a trained decay, one per layer: what ASGL and MPD-AGL train.

    h = sigma(w) u + x;  s = [h >= v];  u = (1 - s) h
    decay: k = sigma(w) that training starts at, in (0, 1). v_threshold: above 0. Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0) -> None:
        super().__init__()
        check_constants(decay, v_threshold)
        kind = type(self).__name__
        require(0 < decay < 1, f"{kind} starts at a decay between 0 and 1, not {decay}")
        self.v_threshold = v_threshold
        self.w = nn.Parameter(torch.logit(torch.tensor(float(decay))))
        _require_finite(self, decay)

    @property
    def decay(self) -> Tensor:
        """k = sigma(w)."""
        return self.w.sigmoid()

    def learned(self) -> dict[str, Tensor]:
        return {"decay": self.decay}

    def real_neuron(self) -> RealLifWeighted:
        return RealLifWeighted(self.decay, self.v_threshold, 1.0)

    def lowered(self) -> tuple[RealLifHard, float]:
        """Plain LIF with hard reset."""
        return RealLifHard(self.decay, self.v_threshold), 1.0

    def extra_repr(self) -> str:
        return f"v_threshold={self.v_threshold}"


class DALIF(SpikingNeuron):
    """Dual adaptive LIF neuron (arXiv:2502.10422): decay and input weight trained apart, per layer.

    h = beta u + alpha x;  s = [h >= v];  u = (1 - s) h;  alpha = tanh(a), beta = tanh(b)
    decay: beta that training starts at, in (0, 1), alpha at 1 - decay. The start and the hard reset
    are ours; see docs/neurons.md. Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        require(0 < decay < 1, f"DA-LIF starts at a decay between 0 and 1, not {decay}")
        self.v_threshold = v_threshold
        self.a = nn.Parameter(torch.atanh(torch.tensor(1.0 - decay)))
        self.b = nn.Parameter(torch.atanh(torch.tensor(float(decay))))
        _require_finite(self, decay)

    @property
    def alpha(self) -> Tensor:
        """Weight of the input, in (-1, 1)."""
        return self.a.tanh()

    @property
    def beta(self) -> Tensor:
        """Decay factor of the membrane potential, in (-1, 1)."""
        return self.b.tanh()

    def learned(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha, "beta": self.beta}

    def real_neuron(self) -> RealLifWeighted:
        return RealLifWeighted(self.beta, self.v_threshold, self.alpha)

    def lowered(self) -> tuple[Neuron, float]:
        """LIF with hard reset, its currents multiplied by alpha; itself where beta is negative."""
        if self.beta < 0:
            return self.real_neuron(), 1.0
        return RealLifHard(self.beta, self.v_threshold), self.alpha.item()

    def extra_repr(self) -> str:
        return f"v_threshold={self.v_threshold}"


def _require_finite(neuron: nn.Module, decay: float) -> None:
    """Raise ArlifError where float32 has no parameter for the decay that training starts at."""
    require(
        all(bool(parameter.isfinite()) for parameter in neuron.parameters()),
        f"a decay of {decay} is too near 0 or 1 for float32, whose parameter becomes infinite; "
        "stay 1e-6 away",
    )
