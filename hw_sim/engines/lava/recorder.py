"""Where a population writes what it does: .npy files mapped into memory, shared across forks."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import Shape
from hw_sim.engines.lava.stream import Stream
from hw_sim.engines.simulation import Trace, count_type


class Recorder:
    """The files of one population at `depth`: counts, and on demand spikes and states by step.

    steps: keep the spikes of every time step. states: keep the state variables too.
    """

    def __init__(
        self,
        folder: Path,
        stream: Stream,
        depth: int,
        shape: Shape,
        neuron: IntegerNeuron,
        steps: bool,
        states: bool,
    ) -> None:
        folder.mkdir()
        self.stream, self.depth = stream, depth
        kind = count_type(stream.time_steps)
        self.counts = create(folder / "counts.npy", (stream.samples, *shape), kind)
        every_step = (stream.time_steps, stream.samples, *shape)
        self.spikes = create(folder / "spikes.npy", every_step, np.bool_) if steps else None
        names = neuron.variables if steps and states else ()
        self.states = {n: create(folder / f"state_{n}.npy", every_step, np.int32) for n in names}

    def write(self, lava_step: int, spikes: NDArray[Any], state: Any) -> None:
        """Keep one time step of a block: spikes and state variables, each [batch, *shape]."""
        position = self.stream.position(lava_step, self.depth)
        if position is None:
            return
        t, samples = position
        used = samples.stop - samples.start
        self.counts[samples] += spikes[:used].astype(self.counts.dtype)
        if self.spikes is not None:
            self.spikes[t, samples] = spikes[:used]
        for name, array in self.states.items():
            array[t, samples] = getattr(state, name)[:used]


def read_counts(folder: Path) -> NDArray[np.integer]:
    """Spikes of every neuron, [N, *shape]."""
    return np.load(folder / "counts.npy", allow_pickle=False)


def read_trace(folder: Path) -> Trace:
    """What was kept step by step, [T, N, *shape]."""
    states = {
        file.stem.removeprefix("state_"): np.load(file, allow_pickle=False)
        for file in sorted(folder.glob("state_*.npy"))
    }
    return Trace(np.load(folder / "spikes.npy", allow_pickle=False), states)


def create(path: Path, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
    """A .npy file of zeros, mapped into memory: what forked processes write is in the file."""
    return open_memmap(path, mode="w+", dtype=dtype, shape=shape)  # type: ignore[no-untyped-call]
