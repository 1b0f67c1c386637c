"""Simulation on Intel's Lava, mended for current Python; see docs/lava.md."""

from hw_sim.lava.job import Models
from hw_sim.lava.launch import simulate

__all__ = ["Models", "simulate"]
