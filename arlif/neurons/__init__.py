"""Spiking neurons as torch modules over [T, N, ...]."""

from arlif.neurons.modules import ARLIF, LIF, SpikingNeuron

__all__ = ["ARLIF", "LIF", "SpikingNeuron"]
