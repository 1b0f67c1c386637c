"""The neurons that come with arlif, as classes with real constants.

Constants are floats, arrays or torch tensors; `ops` decides whether a step runs on torch, numpy or
symbols. A user's own neuron is a class like these.
"""

from typing import Any, Protocol

import numpy as np

from arlif.core.neuron import Neuron, constant, learned
from arlif.core.ops import NumpyChoices, Ops, Value
from arlif.core.steps import (
    After,
    ArlifState,
    ClifState,
    CubaState,
    CurrentPotentialState,
    LifState,
    PotentialState,
    SynapticState,
    arlif_step,
    clif_step,
    cuba_step,
    integrator_step,
    lif_hard_step,
    lif_reset_step,
    lif_soft_step,
    lif_subtract_step,
    lif_weighted_step,
    synaptic_integrator_step,
    synaptic_step,
)


class RealValue(Value, Protocol):
    """A number inside a function that integers read from a table: it also knows * and /."""

    def __mul__(self, other: Any, /) -> "RealValue": ...

    def __rmul__(self, other: Any, /) -> "RealValue": ...

    def __truediv__(self, other: Any, /) -> "RealValue": ...

    def __rtruediv__(self, other: Any, /) -> "RealValue": ...


class RealOps(Ops, Protocol):
    """Ops on real numbers also know the functions that neurons are made of."""

    def tanh(self, x: Value) -> RealValue:
        """Hyperbolic tangent."""

    def sigmoid(self, x: Value) -> RealValue:
        """1 / (1 + exp(-x))."""

    def exp(self, x: Value) -> RealValue:
        """Exponential."""


class RealArlif(Neuron):
    """Adaptive-reset LIF (arXiv:2507.20746): alpha in [0, 1], beta in [-1, 1].

    memory: False restarts r at 0 every step. strict: a spike needs h > theta.
    """

    decay: Any = constant(0.5, 0, 1)
    v_threshold: Any = constant(1.0)
    alpha: Any = learned(1.0)
    beta: Any = learned(0.0, -1, 1)
    memory: bool = True
    strict: bool = False

    state_type = ArlifState

    def threshold(self, ops: RealOps, x: RealValue) -> Any:
        """theta(x) = v_threshold + beta tanh(x), Eq. (8)."""
        return self.v_threshold + self.beta * ops.tanh(x)

    def gate(self, ops: RealOps, x: RealValue) -> Any:
        """sigma(alpha x)"""
        return ops.sigmoid(self.alpha * x)

    def drive(self, ops: RealOps, x: RealValue) -> Any:
        """sigma(x)"""
        return ops.sigmoid(x)

    def reset(self, ops: RealOps, r: RealValue) -> Any:
        """sigma(r)"""
        return ops.sigmoid(r)

    def step(self, ops: Ops, state: ArlifState, x: Value) -> After:
        return arlif_step(ops, self, state, x)


class RealLif(Neuron):
    """What LIF neurons with one state have; subclasses say what a spike does."""

    decay: Any = constant(0.5, 0, 1)
    threshold: Any = constant(1.0)

    state_type = LifState


class RealLifSoft(RealLif):
    """LIF whose spike subtracts the threshold; it fires on h >= threshold."""

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_soft_step(ops, self, state, x)


class RealLifSubtract(RealLif):
    """LIF whose spike subtracts `amount`; `hold` raises the threshold while u is above it."""

    amount: Any = learned(1.0)
    hold: Any = constant(0.0, 0)

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_subtract_step(ops, self, state, x)


class RealLifHard(RealLif):
    """LIF whose spike sets the membrane potential to zero."""

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_hard_step(ops, self, state, x)


class RealLifReset(Neuron):
    """LIF whose spike sets the membrane potential to `reset`; `leak` is added at every step."""

    decay: Any = constant(0.5, 0, 1, per="neuron")
    threshold: Any = constant(1.0, per="neuron")
    leak: Any = constant(0.0, per="neuron", optional=True)
    reset: Any = constant(0.0, per="neuron", optional=True)

    state_type = LifState

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_reset_step(ops, self, state, x)


class RealSynaptic(Neuron):
    """Current-based LIF: its membrane integrates a current that decays; see RealLifReset."""

    current_decay: Any = constant(0.5, 0, 1, per="neuron")
    decay: Any = constant(0.5, 0, 1, per="neuron")
    threshold: Any = constant(1.0, per="neuron")
    leak: Any = constant(0.0, per="neuron", optional=True)
    reset: Any = constant(0.0, per="neuron", optional=True)

    state_type = SynapticState

    def step(self, ops: Ops, state: SynapticState, x: Value) -> After:
        return synaptic_step(ops, self, state, x)


class RealIntegrator(Neuron):
    """A leaky integrator, which never fires: a readout reads its potential."""

    decay: Any = constant(0.5, 0, 1, per="neuron")
    leak: Any = constant(0.0, per="neuron", optional=True)

    state_type = PotentialState

    def step(self, ops: Ops, state: PotentialState, x: Value) -> After:
        return integrator_step(ops, self, state, x)


class RealSynapticIntegrator(Neuron):
    """An integrator of a current that decays: see RealIntegrator."""

    current_decay: Any = constant(0.5, 0, 1, per="neuron")
    decay: Any = constant(0.5, 0, 1, per="neuron")
    leak: Any = constant(0.0, per="neuron", optional=True)

    state_type = CurrentPotentialState

    def step(self, ops: Ops, state: CurrentPotentialState, x: Value) -> After:
        return synaptic_integrator_step(ops, self, state, x)


class RealLifWeighted(Neuron):
    """LIF with hard reset whose decay learns, and a gain that multiplies its input."""

    decay: Any = learned(0.5, -1, 1)
    threshold: Any = constant(1.0)
    gain: Any = learned(1.0, -1, 1)

    state_type = LifState

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_weighted_step(ops, self, state, x)


class RealClif(Neuron):
    """CLIF (arXiv:2402.04663); tau = 1 / (1 - decay)."""

    decay: Any = constant(0.5, 0, 1)
    threshold: Any = constant(1.0)

    instead = "use arlif.LIF, or SpikingJelly's LIFNode"
    state_type = ClifState

    def gate(self, ops: RealOps, h: RealValue) -> Any:
        """sigma(h / tau)"""
        return ops.sigmoid((1 - self.decay) * h)

    def reset(self, ops: RealOps, m: RealValue) -> Any:
        """sigma(m)"""
        return ops.sigmoid(m)

    def step(self, ops: Ops, state: ClifState, x: Value) -> After:
        return clif_step(ops, self, state, x)


class RealCuba(Neuron):
    """Current-based LIF of Loihi, read from lava-dl: limit is the largest |v|, edge one more."""

    current_decay: Any = constant(0.5, 0, 1)
    decay: Any = constant(0.5, 0, 1)
    threshold: Any = constant(1.0)
    bias: Any = constant(0.25, per="channel")
    limit: Any = constant(8.0)
    edge: Any = constant(16.0)

    state_type = CubaState

    def step(self, ops: Ops, state: CubaState, x: Value) -> After:
        return cuba_step(ops, self, state, x)


BUILT_IN: tuple[Neuron, ...] = (
    RealArlif(),
    RealArlif(memory=False),
    RealLifSoft(),
    RealLifSubtract(),
    RealLifSubtract(hold=1.0),
    RealLifHard(),
    RealLifWeighted(),
    RealClif(),
    RealCuba(),
)
"""One neuron of each step that comes with arlif; a constant that is 0 at its start may be none."""


class RealArithmetic:
    """What real numbers do alike, whatever holds them."""

    def multiply(self, value: Any, factor: Any) -> Any:
        return value * factor

    def saturate(self, value: Any) -> Any:
        return value

    def lookup(self, table: Any, x: Any) -> Any:
        return table(self, x)


class NumpyRealOps(RealArithmetic, NumpyChoices):
    """Real numbers as numpy floats: what tables are sampled with, and Lava's floating_pt model."""

    def tanh(self, x: Any) -> Any:
        return np.tanh(x)

    def sigmoid(self, x: Any) -> Any:
        return 0.5 + 0.5 * np.tanh(0.5 * x)

    def exp(self, x: Any) -> Any:
        return np.exp(x)
