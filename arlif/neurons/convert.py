"""From a real-valued neuron's constants back to a trainable module."""

import torch

from arlif.base.errors import LoweringError, require
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif, RealLifHard, RealLifSoft, RealLifSubtract
from arlif.neurons.modules import ARLIF, LIF, SpikingNeuron
from arlif.neurons.subtract import SubtractLIF


def spiking_module(neuron: Neuron) -> SpikingNeuron:
    """The module whose `real_neuron()` is `neuron`, to float32 precision in beta.

    Raises LoweringError where there is none, ArlifError where a constant is out of range.
    """
    match neuron:
        case RealArlif():
            alpha, beta = float(neuron.alpha), float(neuron.beta)
            require(-1 <= beta <= 1, f"beta lies in [-1, 1], not {beta}")
            module = ARLIF(
                float(neuron.decay),
                float(neuron.v_threshold),
                neuron.memory,
                free_alpha=not 0 <= alpha <= 1,
                strict=neuron.strict,
            )
            with torch.no_grad():
                module.alpha_raw.fill_(alpha)
                module.beta_raw.copy_(torch.tensor(beta, dtype=torch.float64).atanh())
            return module
        case RealLifSoft():
            return LIF(float(neuron.decay), float(neuron.threshold), "soft")
        case RealLifSubtract():
            return SubtractLIF(
                float(neuron.decay),
                float(neuron.threshold),
                float(neuron.amount),
                float(neuron.hold),
            )
        case RealLifHard():
            return LIF(float(neuron.decay), float(neuron.threshold), "hard")
    raise LoweringError(f"{type(neuron).__name__} has no torch module; use ARLIF or LIF")
