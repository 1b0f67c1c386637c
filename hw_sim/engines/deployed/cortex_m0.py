"""The engine cortex-m0."""

from arlif.base.options import NoOptions
from hw_sim.engines.deployed.mcu_engine import run_on
from hw_sim.engines.deployed.processors import CORTEX_M0
from hw_sim.engines.work import Outcome, Work


def run(work: Work[NoOptions]) -> Outcome:
    """The project that a network.c is part of; spikes and states."""
    return run_on(CORTEX_M0, work)
