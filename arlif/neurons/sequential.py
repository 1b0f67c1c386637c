"""Neurons to compare with, stepping through time: each step written through `ops`, float only."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from arlif.core.ops import Ops
from arlif.core.real import RealFunction, RealLif, RealLifHard, RealLifSubtract, Sigmoid
from arlif.core.steps import LifState, lif_hard_step
from arlif.errors import LoweringError, require
from arlif.neurons.modules import SpikingNeuron


class ClifState(NamedTuple):
    """u: membrane potential; m: complementary potential. Both start at 0."""

    u: Any
    m: Any


def clif_step(ops: Ops, neuron: Any, state: ClifState, x: Any) -> tuple[Any, ClifState]:
    """One time step of the complementary LIF neuron (arXiv:2402.04663, Eqs. 8-10).

    h = k u + x;  s = [h >= v];  m = m sigma(h / tau) + s;  u = h - s (v + sigma(m))
    """
    h = ops.saturate(ops.multiply(state.u, neuron.decay, neuron.factor_bits) + x)
    s = ops.fire(h, neuron.threshold)
    kept = ops.multiply(state.m, ops.lookup(neuron.gate, h), neuron.factor_bits)
    m = ops.saturate(kept + ops.select(s, neuron.one, 0))
    reset = neuron.threshold + ops.lookup(neuron.reset, m)
    return s, ClifState(ops.saturate(h - ops.select(s, reset, 0)), m)


@dataclass(frozen=True)
class RealClif(RealLif):
    """CLIF; tau = 1 / (1 - decay)."""

    state_type = ClifState
    reset: ClassVar[RealFunction] = Sigmoid()

    @property
    def gate(self) -> RealFunction:
        """sigma(h / tau)"""
        return Sigmoid(1 - self.decay)

    def step(self, ops: Ops, state: ClifState, x: Any) -> tuple[Any, ClifState]:
        return clif_step(ops, self, state, x)


@dataclass(frozen=True)
class RealLifWeighted(RealLif):
    """LIF with hard reset whose input is multiplied by `gain`."""

    gain: Any

    def step(self, ops: Ops, state: LifState, x: Any) -> tuple[Any, LifState]:
        return lif_hard_step(ops, self, state, ops.multiply(x, self.gain, self.factor_bits))


class CLIF(SpikingNeuron):
    """Complementary LIF neuron (arXiv:2402.04663): see clif_step. No trained parameter.

    decay: k = 1 - 1/tau in [0, 1). v_threshold: above 0. Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        _check(decay, v_threshold)
        self.decay, self.v_threshold = decay, v_threshold

    def real_neuron(self) -> RealClif:
        return RealClif(self.decay, self.v_threshold)

    def extra_repr(self) -> str:
        return f"decay={self.decay}, v_threshold={self.v_threshold}"


class LearnableResetLIF(SpikingNeuron):
    """LIF with soft reset by a trained amount, one per layer, that starts at the threshold.

    decay: k in [0, 1). v_threshold: above 0. Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        _check(decay, v_threshold)
        self.decay, self.v_threshold = decay, v_threshold
        self.v_reset = nn.Parameter(torch.tensor(float(v_threshold)))

    def real_neuron(self) -> RealLifSubtract:
        return RealLifSubtract(self.decay, self.v_threshold, self.v_reset, hold=0.0)

    def lowered(self) -> tuple[RealLifSubtract, float]:
        """The same; v_reset must have stayed above 0."""
        require(
            self.v_reset.item() > 0,
            f"its spikes subtract {self.v_reset.item():.3g}, and integers know a reset above 0 "
            "only; train AR-LIF",
            LoweringError,
        )
        return self.real_neuron(), 1.0

    def extra_repr(self) -> str:
        return f"decay={self.decay}, v_threshold={self.v_threshold}"


class PLIF(SpikingNeuron):
    """Parametric LIF neuron (arXiv:2007.05785, Eq. 8): LIF whose time constant is trained.

    h = u + sigma(w) (x - u);  s = [h >= v];  u = (1 - s) h;  one w per layer.
    decay: k = 1 - sigma(w) that training starts at, in (0, 1). Raises ArlifError.
    """

    def __init__(self, decay: float = 0.5, v_threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width)
        _check(decay, v_threshold)
        require(decay > 0, f"PLIF starts at a decay above 0, not {decay}")
        self.v_threshold = v_threshold
        self.w = nn.Parameter(torch.logit(torch.tensor(1.0 - decay)))

    @property
    def decay(self) -> Tensor:
        """k = 1 - sigma(w) = 1 - 1/tau."""
        return 1 - self.w.sigmoid()

    def real_neuron(self) -> RealLifWeighted:
        return RealLifWeighted(self.decay, self.v_threshold, self.w.sigmoid())

    def lowered(self) -> tuple[RealLifHard, float]:
        """LIF with hard reset, its currents multiplied by 1 - k."""
        return RealLifHard(self.decay, self.v_threshold), self.w.sigmoid().item()

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
        _check(decay, v_threshold)
        require(decay > 0, f"DA-LIF starts at a decay above 0, not {decay}")
        self.v_threshold = v_threshold
        self.a = nn.Parameter(torch.atanh(torch.tensor(1.0 - decay)))
        self.b = nn.Parameter(torch.atanh(torch.tensor(float(decay))))

    @property
    def alpha(self) -> Tensor:
        """Weight of the input, in (-1, 1)."""
        return self.a.tanh()

    @property
    def beta(self) -> Tensor:
        """Decay factor of the membrane potential, in (-1, 1)."""
        return self.b.tanh()

    def real_neuron(self) -> RealLifWeighted:
        return RealLifWeighted(self.beta, self.v_threshold, self.alpha)

    def lowered(self) -> tuple[RealLifHard, float]:
        """LIF with hard reset and decay beta, which must have stayed at 0 or above."""
        beta = self.beta.item()
        require(
            beta >= 0,
            f"its decay became {beta:.3g}, and integers know decays from 0 to 1 only; train AR-LIF",
            LoweringError,
        )
        return RealLifHard(self.beta, self.v_threshold), self.alpha.item()

    def extra_repr(self) -> str:
        return f"v_threshold={self.v_threshold}"


def _check(decay: float, v_threshold: float) -> None:
    require(0 <= decay < 1, f"the decay k = 1 - 1/tau lies in [0, 1), not {decay}")
    require(v_threshold > 0, f"the threshold must be positive, not {v_threshold}")
