"""Neurons of quantization-aware training: torch parameters outside, the integer step inside."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, ClassVar

import torch
from torch import Tensor

from arlif.arithmetic.straight_through import QatOps, TrainableTable
from arlif.base.errors import LoweringError
from arlif.core.integer_neurons import IntegerArlif, IntegerNeuron
from arlif.core.real_neurons import RealArlif, RealLifHard, RealLifSoft, RealLifSubtract, RealNeuron
from arlif.core.steps import After, ArlifState, arlif_step
from arlif.kernels.quantized import QuantizedArlif, applies
from arlif.neurons import ARLIF, LIF, SpikingNeuron
from arlif.neurons.subtract import SubtractLIF


@dataclass(frozen=True)
class TrainableArlif:
    """IntegerArlif whose tables know the real functions that they sample."""

    decay: int
    factor_bits: int
    memory: bool
    threshold: TrainableTable
    gate: TrainableTable
    drive: TrainableTable
    reset: TrainableTable

    state_type: ClassVar[type] = ArlifState

    @property
    def one(self) -> int:
        """The raw factor that stands for 1.0."""
        return 1 << self.factor_bits

    @classmethod
    def join(cls, neuron: IntegerArlif, real: RealArlif) -> "TrainableArlif":
        """The integer neuron's numbers with the real neuron's gradients."""
        one = neuron.state_format.one
        return cls(
            neuron.decay,
            neuron.factor_bits,
            neuron.memory,
            TrainableTable(neuron.threshold, real.threshold, one),
            TrainableTable(neuron.gate, real.gate, neuron.one),
            TrainableTable(neuron.drive, real.drive, one),
            TrainableTable(neuron.reset, real.reset, one),
        )

    def step(self, ops: QatOps, state: ArlifState, x: Tensor) -> After:
        """One time step."""
        return arlif_step(ops, self, state, x)


def _run(neuron: IntegerNeuron | TrainableArlif, ops: QatOps, state: Any, x: Tensor) -> Tensor:
    spikes = []
    for now in x:
        fired, state = neuron.step(ops, state, now)
        spikes.append(fired)
    return torch.stack(spikes)


class QatArlif(ARLIF):
    """ARLIF on raw currents [T, N, ...], with the integers that its alpha and beta now give."""

    def forward(self, x: Tensor, neuron: IntegerArlif) -> Tensor:  # type: ignore[override]
        """Spikes [T, N, ...], 0.0 or 1.0."""
        if applies(x):
            spikes: Tensor = QuantizedArlif.apply(  # type: ignore[no-untyped-call]
                x, self.alpha, self.beta, neuron, self.width
            )
            return spikes
        return self.run_steps(x, neuron)

    def run_steps(self, x: Tensor, neuron: IntegerArlif) -> Tensor:
        """The same, one step after another: what the kernel must equal."""
        ops = QatOps(neuron.state_format, self.width)
        joined = TrainableArlif.join(neuron, self.real_neuron())
        return _run(joined, ops, neuron.initial_state(torch.zeros_like(x[0])), x)


class _QatPlain(SpikingNeuron):
    """A neuron without parameters of its own on raw currents [T, N, ...]."""

    def forward(self, x: Tensor, neuron: IntegerNeuron) -> Tensor:  # type: ignore[override]
        """Spikes [T, N, ...], 0.0 or 1.0."""
        ops = QatOps(neuron.state_format, self.width)
        return _run(neuron, ops, neuron.initial_state(torch.zeros_like(x[0])), x)


class QatLif(_QatPlain, LIF):
    """LIF on raw currents."""


class QatSubtractLif(_QatPlain, SubtractLIF):
    """SubtractLIF on raw currents."""


@singledispatch
def trainable_neuron(neuron: RealNeuron, width: float) -> SpikingNeuron:
    """A module with a real-valued neuron's parameters; LoweringError where it cannot be trained."""
    raise LoweringError(
        f"{type(neuron).__name__} cannot be trained as integers: it has no QAT module; quantize "
        "without training (--qat 0)"
    )


@trainable_neuron.register
def _(neuron: RealArlif, width: float) -> SpikingNeuron:
    module = QatArlif(neuron.decay, neuron.v_threshold, neuron.memory, width)
    edge = 1 - 2.0**-20  # tanh reaches 1 only at infinity
    with torch.no_grad():
        module.alpha_raw.fill_(neuron.alpha)
        module.beta_raw.copy_(torch.tensor(neuron.beta).double().clamp(-edge, edge).atanh())
    return module


@trainable_neuron.register(RealLifSoft)
def _(neuron: RealLifSoft, width: float) -> SpikingNeuron:
    return QatLif(neuron.decay, neuron.threshold, "soft", width)


@trainable_neuron.register(RealLifHard)
def _(neuron: RealLifHard, width: float) -> SpikingNeuron:
    return QatLif(neuron.decay, neuron.threshold, "hard", width)


@trainable_neuron.register(RealLifSubtract)
def _(neuron: RealLifSubtract, width: float) -> SpikingNeuron:
    return QatSubtractLif(neuron.decay, neuron.threshold, neuron.amount, neuron.hold, width)
