"""Fused kernels: all time steps of a neuron at once, with the results of the plain loop of steps.

CPU kernels are C++, compiled on first use. They repeat arlif.core.steps; tests hold them to it.
"""

from arlif.kernels.dispatch import applies, run

__all__ = ["applies", "run"]
