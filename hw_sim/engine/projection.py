"""Accumulators of a node for many time steps at once, exact, on a device."""

from functools import reduce

import torch
from torch import Tensor

from arlif.core.linear import chain_magnitude
from arlif.core.network import INPUT, Projection, QuantizedNetwork
from arlif.exact import FLOAT32_EXACT
from hw_sim.engine.convolution import Evaluate, compile_map


class ProjectionSum:
    """Sum over a node's projections of (maps applied to the source) << shift.

    dtype: float32 where every partial sum is exact in it, else int32.
    constant: whether every time step has the same accumulators.
    """

    def __init__(self, network: QuantizedNetwork, target: str, device: torch.device) -> None:
        self.projections = network.incoming(target)
        self.sources = {p.source for p in self.projections}
        self.constant = network.input.static and self.sources == {INPUT}
        self.maps = [_compile(network, p, device) for p in self.projections]
        bounds = [
            chain_magnitude(p.maps, network.source_interval(p.source)) << p.shift
            for p in self.projections
        ]
        self.dtype = torch.float32 if sum(bounds) < FLOAT32_EXACT else torch.int32

    def __call__(self, sent: dict[str, Tensor]) -> Tensor:
        """[T, N, *shape], or [1, N, *shape] where `sent` holds one frame of every source."""
        pairs = zip(self.projections, self.maps, strict=True)
        return reduce(torch.add, (self._term(p, maps, sent) for p, maps in pairs))

    def _term(
        self, projection: Projection, maps: list[Evaluate], sent: dict[str, Tensor]
    ) -> Tensor:
        x = sent[projection.source]
        folded = reduce(lambda value, evaluate: evaluate(value), maps, x.flatten(0, 1))
        values = folded.view(*x.shape[:2], *folded.shape[1:]).to(self.dtype)
        return values * (1 << projection.shift) if projection.shift else values


def _compile(
    network: QuantizedNetwork, projection: Projection, device: torch.device
) -> list[Evaluate]:
    interval, maps = network.source_interval(projection.source), []
    for linear in projection.maps:
        maps.append(compile_map(linear, interval, device))
        interval = linear.output_interval(interval)
    return maps
