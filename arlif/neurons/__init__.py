"""Spiking neurons as torch modules over [T, N, ...]."""

from arlif.neurons.agl import AglLIF
from arlif.neurons.estimated import MpePSN
from arlif.neurons.fixed_point import FptLIF
from arlif.neurons.layer import NeuronLayer
from arlif.neurons.modules import ARLIF, LIF, SpikingNeuron
from arlif.neurons.parallel import PSN, MaskedPSN, SlidingPSN
from arlif.neurons.sequential import CLIF, DALIF, PLIF, LearnableResetLIF
from arlif.neurons.smoothing import AsglLIF

__all__ = [
    "ARLIF",
    "AglLIF",
    "AsglLIF",
    "CLIF",
    "DALIF",
    "FptLIF",
    "LIF",
    "MpePSN",
    "NeuronLayer",
    "PLIF",
    "PSN",
    "LearnableResetLIF",
    "MaskedPSN",
    "SlidingPSN",
    "SpikingNeuron",
]
