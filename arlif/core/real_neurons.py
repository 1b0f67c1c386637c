"""Real-valued neurons: the same steps with functions where integers have tables.

Constants are floats or torch tensors; `ops` decides whether a step runs on torch, numpy or symbols.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from arlif.core.ops import NumpyChoices, Ops, Value
from arlif.core.steps import (
    After,
    ArlifState,
    ClifState,
    LifState,
    Stateful,
    arlif_step,
    clif_step,
    lif_hard_step,
    lif_soft_step,
    lif_subtract_step,
)

Constant = Any
"""A float or a torch tensor, which may learn: whoever reads it knows which."""


class RealOps(Ops, Protocol):
    """Ops on real numbers also know the two functions that the neuron is made of."""

    def tanh(self, x: Value) -> Value:
        """Hyperbolic tangent."""

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + exp(-x))."""


class RealFunction(Protocol):
    """What `lookup` takes in place of a table when numbers are real."""

    def __call__(self, ops: RealOps, x: Value) -> Any:
        """The function of x."""


@dataclass(frozen=True)
class Sigmoid:
    """sigma(slope x)"""

    slope: Constant = 1.0

    def __call__(self, ops: RealOps, x: Value) -> Value:
        return ops.sigmoid(self.slope * x)


@dataclass(frozen=True)
class TanhThreshold:
    """base + beta tanh(x)"""

    base: Constant
    beta: Constant

    def __call__(self, ops: RealOps, x: Value) -> Value:
        return self.base + self.beta * ops.tanh(x)


@dataclass(frozen=True)
class RealNeuron(Stateful):
    """What every real-valued neuron has; factors are real, so they have no binary point."""

    decay: Constant

    factor_bits: ClassVar[int] = 0
    one: ClassVar[float] = 1.0


@dataclass(frozen=True)
class RealArlif(RealNeuron):
    """Adaptive-reset LIF (arXiv:2507.20746): alpha in [0, 1], beta in [-1, 1]."""

    v_threshold: Constant
    alpha: Constant
    beta: Constant
    memory: bool = True

    state_type = ArlifState
    drive: ClassVar[RealFunction] = Sigmoid()
    reset: ClassVar[RealFunction] = Sigmoid()

    @property
    def threshold(self) -> RealFunction:
        """theta(x) = v_threshold + beta tanh(x), Eq. (8)."""
        return TanhThreshold(self.v_threshold, self.beta)

    @property
    def gate(self) -> RealFunction:
        """sigma(alpha x)"""
        return Sigmoid(self.alpha)

    def step(self, ops: Ops, state: ArlifState, x: Value) -> After:
        return arlif_step(ops, self, state, x)


@dataclass(frozen=True)
class RealLif(RealNeuron):
    """LIF with a constant threshold; it fires on h >= threshold."""

    threshold: Constant


@dataclass(frozen=True)
class RealLifSoft(RealLif):
    """LIF whose spike subtracts the threshold."""

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_soft_step(ops, self, state, x)


@dataclass(frozen=True)
class RealLifSubtract(RealLif):
    """LIF whose spike subtracts `amount`; `hold` raises the threshold while u is above it."""

    amount: Constant
    hold: Constant

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_subtract_step(ops, self, state, x)


@dataclass(frozen=True)
class RealLifHard(RealLif):
    """LIF whose spike sets the membrane potential to zero."""

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_hard_step(ops, self, state, x)


@dataclass(frozen=True)
class RealClif(RealLif):
    """CLIF; tau = 1 / (1 - decay)."""

    state_type = ClifState
    reset: ClassVar[RealFunction] = Sigmoid()

    @property
    def gate(self) -> RealFunction:
        """sigma(h / tau)"""
        return Sigmoid(1 - self.decay)

    def step(self, ops: Ops, state: ClifState, x: Value) -> After:
        return clif_step(ops, self, state, x)


@dataclass(frozen=True)
class RealLifWeighted(RealLif):
    """LIF with hard reset whose input is multiplied by `gain`."""

    gain: Constant

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_hard_step(ops, self, state, ops.multiply(x, self.gain, self.factor_bits))


class NumpyRealOps(NumpyChoices):
    """Real numbers as numpy floats: what tables are sampled with, and Lava's floating_pt model."""

    def multiply(self, value: Any, factor: Any, factor_bits: int) -> Any:
        return value * factor

    def saturate(self, value: Any) -> Any:
        return value

    def lookup(self, table: RealFunction, x: Any) -> Any:
        return table(self, x)

    def tanh(self, x: Any) -> Any:
        return np.tanh(x)

    def sigmoid(self, x: Any) -> Any:
        return 0.5 + 0.5 * np.tanh(0.5 * x)
