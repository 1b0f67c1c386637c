"""The engine norse."""

from arlif.base.options import NoOptions
from export.nir.conventions import DT
from hw_sim.engines.libraries.frame_by_frame import packages, run_in
from hw_sim.engines.work import Outcome, Work


def run(work: Work[NoOptions]) -> Outcome:
    """lif.nir as Norse reads it."""
    (reader,) = packages("norse", "norse.torch")
    return run_in("norse", lambda graph: reader.from_nir(graph, dt=DT), work)
