"""How much a cross-check does unless told; loads nothing heavy, the command line reads it."""

SAMPLES = 256
"""Test samples that float and integer network run."""

TRACED = 8
"""How many of them Lava runs too."""

TIME_LIMIT_S = 600.0
"""For one check, in seconds."""

WAITING = 4
"""Snapshots that wait while a check runs; further ones take the place of the oldest."""
