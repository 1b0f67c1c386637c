"""Checks the fixed-point network, engine against engine, while its float parent still trains."""

from hw_sim.crosscheck.callback import CrossCheck
from hw_sim.crosscheck.result import CROSSCHECK, Check, read_checks

__all__ = ["CROSSCHECK", "Check", "CrossCheck", "read_checks"]
