"""The engine spikingjelly."""

from arlif.base.options import NoOptions
from export.nir.conventions import DT
from hw_sim.engines.libraries.frame_by_frame import packages, run_in
from hw_sim.engines.work import Outcome, Work


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as SpikingJelly reads it."""
    (reader,) = packages("spikingjelly", "spikingjelly.activation_based.nir_exchange")
    return run_in("spikingjelly", lambda graph: reader.import_from_nir(graph, dt=DT), work)
