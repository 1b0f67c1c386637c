"""Simulation on Intel's Lava, mended for current Python; see docs/lava.md."""
