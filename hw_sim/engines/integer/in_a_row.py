"""Layers in a row on a CPU: arrays go from kernel to kernel as they lie in memory, channels last.

A small network's kernels take less time than what running.py does between them for any network.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from arlif.core.network import INPUT
from hw_sim.engines.integer.compiled_map import FrameMap
from hw_sim.engines.integer.compiled_network import CompiledNetwork
from hw_sim.engines.integer.projection import ProjectionSum
from hw_sim.engines.integer.update import FusedUpdate


@dataclass(frozen=True, eq=False)
class Chain:
    """Populations, each of which hears the one before it alone, and a readout of the last one.

    layers: a population's name, the maps into it and its update.
    """

    layers: tuple[tuple[str, tuple[FrameMap, ...], FusedUpdate], ...]
    readout: tuple[FrameMap, ...]
    bias: NDArray[np.int64]

    @classmethod
    def of(cls, compiled: CompiledNetwork, steps: int) -> "Chain | None":
        """The chain that a network is for `steps` time steps; None where it is none."""
        network, before, layers = compiled.network, INPUT, []
        if network.ors or network.readout.reading is not None:
            return None
        for population, *others in network.loops:
            name = population.name
            maps = _maps(compiled.sums[name], before)
            update = compiled.updates[name]
            if others or maps is None or not isinstance(update, FusedUpdate):
                return None
            layers.append((name, maps, update))
            before = name
        readout = _maps(compiled.readout_sum(steps), before) if layers else None
        if readout is None:
            return None
        return cls(tuple(layers), readout, steps * network.readout.bias.astype(np.int64))

    def __call__(
        self, frames: NDArray[np.int8], steps: int
    ) -> tuple[NDArray[np.int64], dict[str, NDArray[np.uint8]]]:
        """What the readout adds up in all steps, [N, classes], and counts [N, *shape] by name.

        frames: raw inputs [T, N, *shape], or [1, N, *shape] where one is shown at every step.
        """
        threads, counts = torch.get_num_threads(), {}
        x: NDArray[Any] = np.ascontiguousarray(_channels_last(frames)).view(np.uint8)
        for name, maps, update in self.layers:
            sums = _through(maps, x.reshape(-1, *x.shape[2:]), threads)
            sums = sums.reshape(*x.shape[:2], *sums.shape[1:])
            done = update.update(sums, steps, threads, goes_on=False)
            x, counts[name] = done.spikes, channels_first(done.counts)
        return _through(self.readout, done.counts, threads) + self.bias, counts


def _maps(sums: ProjectionSum, source: str) -> tuple[FrameMap, ...] | None:
    """The maps of a sum that is no more than them, of frames of `source`."""
    if len(sums.projections) != 1:
        return None
    (projection,), (given,) = sums.projections, sums.maps
    plain = projection.entering == source and projection.delay == projection.shift == 0
    maps: tuple[object, ...] = tuple(given)
    found = tuple(one for one in maps if isinstance(one, FrameMap))
    return found if plain and maps and len(found) == len(maps) else None


def _channels_last(frames: NDArray[Any]) -> NDArray[Any]:
    """[T, N, ..., C] of [T, N, C, ...]; as numpy.moveaxis, which takes ten times as long."""
    return frames.transpose(0, 1, *range(3, frames.ndim), 2)


def channels_first(counts: NDArray[Any]) -> NDArray[Any]:
    """[N, C, ...] of [N, ..., C]."""
    return counts.transpose(0, counts.ndim - 1, *range(1, counts.ndim - 1))


def _through(maps: tuple[FrameMap, ...], x: NDArray[Any], threads: int) -> NDArray[Any]:
    return reduce(lambda frames, one: one.of_frames(frames, threads), maps, x)
