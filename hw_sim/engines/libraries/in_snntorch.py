"""The engine snntorch."""

from arlif.base.options import NoOptions
from hw_sim.engines.libraries.frame_by_frame import UNREAD, packages, run_in
from hw_sim.engines.work import Outcome, Work

CURES = {
    **UNREAD,
    "r != 1": "give its neurons a decay below 1, or take the engine norse or spikingjelly",
    "must be same": "give all neurons of a layer the same constants, or take the engine norse",
    "has no attribute 'items'": "it reads no loops; take the engine norse or spikingjelly",
}
"""What to do about an error of snnTorch 1.0, by a part of its text."""


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as snnTorch reads it, whose time step is always 1e-4 s."""
    (reader,) = packages("snntorch", "snntorch.import_nir")
    return run_in("snntorch", reader.import_from_nir, work, CURES)
