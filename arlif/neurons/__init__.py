"""Spiking neurons as torch modules over [T, N, ...]."""

from arlif.neurons.modules import ARLIF, LIF, SpikingNeuron
from arlif.neurons.parallel import PSN, MaskedPSN, SlidingPSN
from arlif.neurons.sequential import CLIF, PLIF, LearnableResetLIF

__all__ = [
    "ARLIF",
    "CLIF",
    "LIF",
    "PLIF",
    "PSN",
    "LearnableResetLIF",
    "MaskedPSN",
    "SlidingPSN",
    "SpikingNeuron",
]
