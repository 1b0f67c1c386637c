"""A model whose failure is reported instead of leaving the simulation waiting for ever."""

import sys
import traceback

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort

from hw_sim.engines.lava.job import FAILURE


class GuardedModel(PyLoihiProcessModel):
    """Runs `advance` every time step and reports an exception with the process's name.

    Zeros go out in place of the missing message, so that the others finish the step.
    """

    def advance(self) -> None:
        """One time step: receive, compute, send."""
        raise NotImplementedError

    def run_spk(self) -> None:
        try:
            self.advance()
        except Exception:
            name = self.proc_params["name"]
            sys.stderr.write(f"{FAILURE}{name} at time step {self.time_step}\n")
            traceback.print_exc()
            for port in self.py_ports:
                if isinstance(port, PyOutPort):
                    port.send(np.zeros(port.shape))
            raise
