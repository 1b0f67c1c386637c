"""Files of a simulation of lif.nir on Lava's own processes, which caller and worker share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.engines.lava.job import Job
from hw_sim.engines.lava.plain_graph import Layer
from hw_sim.engines.lava.recorder import create
from hw_sim.engines.simulation import count_type


@dataclass(frozen=True, eq=False)
class LifFiles:
    """In `folder`, with the network and the inputs: real [1, N, *shape] or [T, N, *shape]."""

    folder: Path

    @property
    def network(self) -> Path:
        """A copy of lif.nir."""
        return self.folder / "lif.nir"

    @property
    def inputs(self) -> Path:
        """The samples."""
        return self.folder / Job.INPUTS

    def make(self, layers: list[Layer], samples: int, traced: int, time_steps: int) -> None:
        """Files of zeros: what layers send over time and step by step, and how many are done."""
        for index, layer in enumerate(layers):
            kind = count_type(time_steps) if layer.fires else np.float64
            create(self._total(index), (samples, *layer.shape), kind)
            recorded = traced if layer.fires else 0
            create(self._steps(index), (time_steps, recorded, *layer.shape), np.bool_)
        create(self.folder / Job.DONE, (1,), np.int64)

    def total(self, index: int) -> NDArray[Any]:
        """What a layer sent, summed over time: [N, *shape]."""
        return _shared(self._total(index))

    def steps(self, index: int) -> NDArray[np.bool_]:
        """The spikes of a layer: [T, samples recorded, *shape]."""
        return _shared(self._steps(index))

    @property
    def done(self) -> NDArray[np.int64]:
        """How many samples are finished: [1]."""
        return _shared(self.folder / Job.DONE)

    def _total(self, index: int) -> Path:
        return self.folder / f"total-{index}.npy"

    def _steps(self, index: int) -> Path:
        return self.folder / f"steps-{index}.npy"


def _shared(path: Path) -> NDArray[Any]:
    """The content, through which another process sees what is written."""
    # An empty file cannot be mapped.
    found: NDArray[Any] = np.load(path, allow_pickle=False)
    return np.load(path, mmap_mode="r+", allow_pickle=False) if found.size else found
