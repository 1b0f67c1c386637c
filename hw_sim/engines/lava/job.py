"""A simulation as a folder: what the worker process is asked, and where it answers."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.simulation import Record

FAILURE = "failed in Lava process "
"""What a log says before the name of the process whose model raised an exception."""


@dataclass(frozen=True)
class Job:
    """One worker's task; its files lie in `folder`."""

    time_steps: int
    batch: int
    models: Models
    record: Record

    NETWORK, INPUTS, TASK, LOG = "network.net", "inputs.npy", "task.json", "log.txt"
    READOUT, DONE = "readout.npy", "done.npy"

    @staticmethod
    def pooled(name: str) -> str:
        """Where the counts of an OR of spikes lie; names of nodes may be too long for a file."""
        return f"or-{sha256(name.encode()).hexdigest()}.npy"

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
