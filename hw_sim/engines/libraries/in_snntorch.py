"""The engine snntorch."""

from arlif.base.options import NoOptions
from hw_sim.engines.libraries.frame_by_frame import packages, run_in
from hw_sim.engines.work import Outcome, Work


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as snnTorch reads it, whose time step is always 1e-4 s."""
    (reader,) = packages("snntorch", "snntorch.import_nir")
    return run_in("snntorch", reader.import_from_nir, work)
