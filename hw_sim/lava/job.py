"""A simulation as a folder: what the worker process is asked, and where it answers."""

import json
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from arlif.core.network import Projection
from hw_sim.simulation import Record

FAILURE = "failed in Lava process "
"""What a log says before the name of the process whose model raised an exception."""


class Models(Enum):
    """Which process models run the synapses."""

    FAST = "fast"
    """Exact matrix products, many samples abreast."""
    STOCK = "stock"
    """Lava's own Conv and Dense, one sample at a time."""

    def steps(self, projection: Projection) -> int:
        """The least number of time steps that a projection takes."""
        return 1 if self is Models.FAST else max(1, len(projection.maps))


@dataclass(frozen=True)
class Job:
    """One worker's task; its files lie in `folder`."""

    time_steps: int
    batch: int
    models: Models
    record: Record

    NETWORK, INPUTS, TASK, LOG = "network.net", "inputs.npy", "task.json", "log.txt"
    READOUT, DONE = "readout.npy", "done.npy"

    def write(self, folder: Path) -> None:
        """Write the task as JSON."""
        text = json.dumps(asdict(self), default=lambda models: models.value)
        (folder / self.TASK).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Job":
        """The task that `write` wrote."""
        task = json.loads((folder / cls.TASK).read_text(encoding="utf-8"))
        record = Record(tuple(task["record"]["layers"]), task["record"]["states"])
        return cls(task["time_steps"], task["batch"], Models(task["models"]), record)
