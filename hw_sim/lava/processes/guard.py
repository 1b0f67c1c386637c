"""A model whose failure is reported instead of leaving the simulation waiting for ever."""

import sys
import traceback

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort

FAILURE = "failed in Lava process "
"""What precedes a process's name in the log when its model raises an exception."""


class GuardedModel(PyLoihiProcessModel):
    """Runs `advance` every time step. An exception is printed, zeros are sent in place of the
    missing message so that the other processes finish the step, and it is raised again.
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
