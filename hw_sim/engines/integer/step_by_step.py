"""A network that is fed one time step after another and keeps its state, as a device would."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.network import QuantizedNetwork
from hw_sim.engines.integer.compiled_network import CompiledNetwork
from hw_sim.engines.integer.running import Layer, Run


@dataclass(frozen=True)
class Step:
    """What a network did in one time step.

    spikes: by population, bool [N, *shape]. readout: what the step added to it, int64 [N, classes].
    """

    spikes: dict[str, NDArray[np.bool_]]
    readout: NDArray[np.int64]


class Stream:
    """A network under way, for `samples` independent streams; every sum so far is in `readout`.

    Equal in every bit to a simulation of all time steps at once.
    """

    def __init__(self, network: QuantizedNetwork, samples: int = 1, device: str = "cpu") -> None:
        require(samples >= 1, f"a stream has at least 1 sample, not {samples}")
        self.network = network
        self.compiled = CompiledNetwork(network, device)
        self.shape = (samples, *network.input.shape)
        self.restart()

    def restart(self) -> None:
        """Forget every step."""
        self.run = Run(self.compiled, self.shape[0])
        self.readout = np.zeros((self.shape[0], *self.network.readout.shape), np.int64)

    @property
    def decisions(self) -> NDArray[np.int64]:
        """The class of each sample by the steps so far: argmax of the readout, first of equals."""
        return np.argmax(self.readout, axis=1)

    def step(self, frame: NDArray[np.integer]) -> Step:
        """Feed raw inputs [N, *shape] of one time step, also where training showed one frame.

        Raises ArlifError on another shape and outside the raw range.
        """
        source, frame = self.network.input, np.asarray(frame)
        require(
            frame.shape == self.shape and frame.dtype.kind in "iu",
            f"a time step is raw integers {self.shape}, not {frame.dtype} {frame.shape}",
        )
        require(
            bool(frame.min() >= source.low and frame.max() <= source.high),
            f"raw inputs lie in [{source.low}, {source.high}], not {frame.min()} to {frame.max()}; "
            "convert real data with network.input.encode(data)",
        )
        spikes: dict[str, NDArray[np.bool_]] = {}

        def keep(done: Layer) -> None:
            if done.name in self.compiled.sums:
                spikes[done.name] = done.spikes[0].cpu().numpy().astype(np.bool_)

        self.run.constants.clear()  # what is the same at every step only as long as frames are
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(frame, np.int8))[None]
            added = self.run.block(given.to(self.compiled.device), 1, lambda name: False, keep)
        self.readout += added
        return Step(spikes, added)
