"""Spiking neurons as torch modules over [T, N, ...]."""

from arlif.neurons.modules import ARLIF, LIF, SpikingNeuron
from arlif.neurons.parallel import PSN, MaskedPSN, SlidingPSN
from arlif.neurons.sequential import CLIF, PLIF, LearnableResetLIF
from arlif.neurons.smoothing import AsglLIF

__all__ = [
    "ARLIF",
    "AsglLIF",
    "CLIF",
    "LIF",
    "PLIF",
    "PSN",
    "LearnableResetLIF",
    "MaskedPSN",
    "SlidingPSN",
    "SpikingNeuron",
]
