"""Accumulators of a node for many time steps at once, exact, on a device."""

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor

from arlif.arithmetic.exact import FLOAT32_EXACT
from arlif.core.maps import Interval, LinearMap, chain_magnitude
from arlif.core.network import INPUT, Projection, QuantizedNetwork
from hw_sim.engines.integer.compiled_map import CompiledMap
from hw_sim.engines.integer.convolution import compile_map


class ProjectionSum:
    """Sum over a node's projections of (maps applied to the source) << shift.

    frames: how many time steps of the sources are added up in each frame that is given; a sum of
    frames has the sum of their accumulators.
    dtype: float32 where every partial sum is exact in it, else integers that hold them.
    constant: whether every time step has the same accumulators.
    """

    def __init__(
        self, network: QuantizedNetwork, target: str, device: torch.device, frames: int = 1
    ) -> None:
        self.projections = network.incoming(target)
        at_once = all(p.source == INPUT and p.delay == 0 for p in self.projections)
        self.constant = network.input.static and at_once
        intervals = [_times(frames, network.source_interval(p.entering)) for p in self.projections]
        pairs = list(zip(self.projections, intervals, strict=True))
        self.maps = [_compile(p.maps, interval, device) for p, interval in pairs]
        bound = sum(chain_magnitude(p.maps, interval) << p.shift for p, interval in pairs)
        wide = torch.int32 if bound < 1 << 31 else torch.int64
        self.dtype = torch.float32 if bound < FLOAT32_EXACT else wide

    def __call__(self, arriving: Callable[[Projection], Tensor]) -> Tensor:
        """[T, N, *shape], or [1, N, *shape] where one frame of every source arrives.

        arriving: the frames that enter the maps of a projection.
        """
        pairs = zip(self.projections, self.maps, strict=True)
        return reduce(torch.add, (self._term(p, maps, arriving(p)) for p, maps in pairs))

    def _term(self, projection: Projection, maps: list[CompiledMap], x: Tensor) -> Tensor:
        folded = reduce(lambda value, evaluate: evaluate(value), maps, x.flatten(0, 1))
        values = folded.view(*x.shape[:2], *folded.shape[1:])
        if len(self.projections) == 1 and projection.shift == 0:
            return values
        return values.to(self.dtype) * (1 << projection.shift)


def _times(frames: int, interval: Interval) -> Interval:
    return frames * interval[0], frames * interval[1]


def _compile(
    maps: tuple[LinearMap, ...], interval: Interval, device: torch.device
) -> list[CompiledMap]:
    compiled = []
    for linear in maps:
        compiled.append(compile_map(linear, interval, device))
        interval = linear.output_interval(interval)
    return compiled
