"""Layers in a row on a CPU: arrays go from kernel to kernel as they lie in memory, channels last.

A small network's kernels take less time than what running.py does between them for any network.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

from arlif.core.maps import Shape
from arlif.core.network import INPUT
from arlif.kernels.integer_update import kind_of
from hw_sim.engines.integer.compiled_map import FrameMap
from hw_sim.engines.integer.compiled_network import CompiledNetwork
from hw_sim.engines.integer.projection import ProjectionSum
from hw_sim.engines.integer.update import FusedUpdate

Take = Callable[[NDArray[np.int64], dict[str, NDArray[np.uint8]]], None]
"""Takes what the readout added up in all steps, [N, classes], and counts [N, *shape] by name."""
KEPT = 4
"""Shapes of inputs for which a chain keeps its calls, and the memory that they write."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Populations, each of which hears the one before it alone, and a readout of the last one.

    layers: a population's name, the maps into it and its update. ready: calls that nobody runs, by
    what they were made for.
    """

    layers: tuple[tuple[str, tuple[FrameMap, ...], FusedUpdate], ...]
    readout: tuple[FrameMap, ...]
    bias: NDArray[np.int64]
    steps: int
    ready: dict[Any, list["_Calls"]] = field(default_factory=dict)

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
        return cls(tuple(layers), readout, steps * network.readout.bias.astype(np.int64), steps)

    def __call__(self, frames: NDArray[np.int8], take: Take) -> None:
        """Run raw inputs [T, N, *shape], or [1, N, *shape] where one is shown at every step.

        take: what it is given is written anew as soon as it returns.
        """
        key = (frames.shape, torch.get_num_threads())
        if key not in self.ready and len(self.ready) >= KEPT:
            self.ready.clear()
        ready = self.ready.setdefault(key, [])
        try:
            calls = ready.pop()  # threads that share this chain have calls of their own
        except IndexError:
            calls = _Calls(self, *key)
        calls.run(frames)
        take(calls.sums + self.bias, calls.counts)
        ready.append(calls)


class _Calls:
    """The kernels of a chain, one after another, on arrays of their own."""

    def __init__(self, chain: Chain, shape: Shape, threads: int) -> None:
        steps, samples, channels, *size = shape
        self.given = np.empty((steps, samples, *size, channels), np.uint8)
        self.calls: list[Callable[[], object]] = []
        self.counts: dict[str, NDArray[np.uint8]] = {}
        x = self.given
        for name, maps, update in chain.layers:
            sums = self._through(maps, x.reshape(-1, *x.shape[2:]), threads)
            sums = self._as(sums, kind_of(sums)).reshape(*x.shape[:2], *sums.shape[1:])
            call, done = update.update.bind(sums, chain.steps, threads, goes_on=False)
            self.calls.append(call)
            x, self.counts[name] = done.spikes, channels_first(done.counts)
        self.sums = self._through(chain.readout, done.counts, threads)

    def run(self, frames: NDArray[np.int8]) -> None:
        """Write `sums` and `counts` of these inputs."""
        self.given[...] = _channels_last(frames).view(np.uint8)
        for call in self.calls:
            call()

    def _through(self, maps: tuple[FrameMap, ...], x: NDArray[Any], threads: int) -> NDArray[Any]:
        for one in maps:
            call, x = one.bind(self._as(x, np.uint8), threads)
            self.calls.append(call)
        return x

    def _as(self, values: NDArray[Any], kind: DTypeLike) -> NDArray[Any]:
        """The values in that type, which holds them; copied at every run if they have another."""
        if values.dtype == kind:
            return values
        copied = np.empty(values.shape, kind)
        self.calls.append(partial(np.copyto, copied, values, casting="unsafe"))
        return copied


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
