"""Accumulators of a node for many time steps at once, exact, on a device."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from arlif.core.maps import Interval, LinearMap, Shape, chain_interval, chain_magnitude
from arlif.core.network import INPUT, Projection, QuantizedNetwork
from arlif.kernels.reused import Empty
from hw_sim.engines.integer.channels_last import ChannelsLast
from hw_sim.engines.integer.compiled_map import CompiledMap
from hw_sim.engines.integer.convolution import compile_map
from hw_sim.engines.integer.ways import Ways

NUMPY = {torch.int16: np.int16, torch.int32: np.int32, torch.int64: np.int64}
"""Types of sums."""


class ProjectionSum:
    """Sum over a node's projections of (maps applied to the source) << shift.

    frames: how many time steps of the sources are added up in each frame that is given; a sum of
    frames has the sum of their accumulators.
    type: of sums of several terms. in_place: whether 32 bits hold them on the way too, so that maps
    may add to them.
    constant: whether every time step has the same accumulators.
    """

    def __init__(
        self,
        network: QuantizedNetwork,
        target: str,
        device: torch.device,
        empty: Empty,
        frames: int = 1,
    ) -> None:
        self.projections = network.incoming(target)
        at_once = all(p.source == INPUT and p.delay == 0 for p in self.projections)
        self.constant = network.input.static and at_once
        intervals = [_times(frames, network.source_interval(p.entering)) for p in self.projections]
        pairs = list(zip(self.projections, intervals, strict=True))
        self.maps = [
            _compile(p.maps, interval, network.shape(p.entering), device, empty)
            for p, interval in pairs
        ]
        bound = sum(chain_magnitude(p.maps, interval) << p.shift for p, interval in pairs)
        self.in_place = bound < 1 << 31
        self.type = _type(pairs) if self.in_place else torch.int64
        self.shape, self.device, self.empty = network.shape(target), device, empty

    def __call__(self, arriving: Callable[[Projection], Tensor]) -> Tensor:
        """[T, N, *shape], or [1, N, *shape] where one frame of every source arrives.

        arriving: the frames that enter the maps of a projection.
        """
        given = [arriving(projection) for projection in self.projections]
        if len(given) == 1 and self.projections[0].shift == 0:
            return self._term(self.maps[0], given[0])
        steps, samples = max(map(len, given)), given[0].shape[1]
        total, begun = self._empty(steps, samples), False
        terms = list(zip(self.projections, self.maps, given, strict=True))
        for projection, maps, x in sorted(terms, key=lambda term: term[0].shift):
            last = maps[-1] if maps and self.in_place and len(x) == steps else None
            if isinstance(last, ChannelsLast):
                entering = _through(maps[:-1], x.flatten(0, 1))
                if begun or projection.shift:
                    total = total if begun else total.zero_()
                    last.add(entering, total.flatten(0, 1), 1 << projection.shift)
                else:
                    last.put(entering, total.flatten(0, 1))
            else:
                term = self._term(maps, x).to(total.dtype) * (1 << projection.shift)
                total = total.add_(term) if begun else total.copy_(term)
            begun = True
        return total

    def ways(self) -> Iterator[tuple[str, Counter[str]]]:
        """What entered maps that can be summed up in several ways, and frames by way so far."""
        for projection, maps in zip(self.projections, self.maps, strict=True):
            for evaluate in maps:
                if isinstance(evaluate, ChannelsLast) and isinstance(evaluate.kernel, Ways):
                    yield projection.entering, evaluate.kernel.frames

    def _term(self, maps: list[CompiledMap], x: Tensor) -> Tensor:
        values = _through(maps, x.flatten(0, 1))
        return values.view(*x.shape[:2], *values.shape[1:])

    def _empty(self, steps: int, samples: int) -> Tensor:
        """Room for sums, with channels last in memory."""
        channels, *rest = self.shape
        shape = (steps, samples, *rest, channels)
        if self.device.type == "cpu":
            room = torch.from_numpy(self.empty(shape, NUMPY[self.type]))
        else:
            room = torch.empty(shape, dtype=self.type, device=self.device)
        return room.movedim(-1, 2)


def _through(maps: list[CompiledMap], x: Tensor) -> Tensor:
    return reduce(lambda value, evaluate: evaluate(value), maps, x)


def _type(pairs: list[tuple[Projection, Interval]]) -> torch.dtype:
    """The narrower of 16 and 32 bits that holds the sum of terms, and each of them, 0 and 1 too."""
    low = high = 0
    for projection, (least, most) in pairs:
        ends = chain_interval(projection.maps, (min(least, 0), max(most, 0)))
        low += min(ends[0], 0) << projection.shift
        high += max(ends[1], 1) << projection.shift
    return torch.int16 if low >= -(1 << 15) and high < 1 << 15 else torch.int32


def _times(frames: int, interval: Interval) -> Interval:
    return frames * interval[0], frames * interval[1]


def _compile(
    maps: tuple[LinearMap, ...],
    interval: Interval,
    shape: Shape,
    device: torch.device,
    empty: Empty,
) -> list[CompiledMap]:
    compiled = []
    for linear in maps:
        compiled.append(compile_map(linear, interval, device, empty, shape))
        interval, shape = linear.output_interval(interval), linear.output_shape(shape)
    return compiled
