"""The engine spikingjelly."""

from arlif.base.options import NoOptions
from export.nir.conventions import DT
from hw_sim.engines.libraries.frame_by_frame import UNREAD, packages, run_in
from hw_sim.engines.work import Outcome, Work

CURES = {
    **UNREAD,
    "must be uniform": "give all neurons of a layer the same constants, or take the engine norse",
    "greater than 1": "give its neurons a decay above 0, or take the engine norse or snntorch",
    "at least dt": "give its neurons decays above 0, or take the engine norse or snntorch",
    "v_leak must equal v_reset": "let its neurons reset to where their potentials leak to",
}
"""What to do about an error of SpikingJelly 2.0, by a part of its text."""


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as SpikingJelly reads it."""
    (reader,) = packages("spikingjelly", "spikingjelly.activation_based.nir_exchange")
    return run_in("spikingjelly", lambda graph: reader.import_from_nir(graph, dt=DT), work, CURES)
