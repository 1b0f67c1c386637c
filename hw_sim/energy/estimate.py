"""Analytic accumulates (FLOPs times spike rate) against counted events, and why they differ.

The literature estimates a projection's operations as nominal connections times the source's mean
rate. For dense maps that is exact. For windows two things differ, both known exactly here:

    counted = estimate - padding + border
    padding = (nominal - connections) rate          taps that fall outside the image
    border  = sum over sources of (events - mean events) (fan-out - mean fan-out)

border is what is gained or lost because active neurons lie where the fan-out is larger or smaller.
"""

from dataclasses import dataclass

from hw_sim.energy.counts import NetworkCounts, ProjectionCounts
from hw_sim.energy.prices import FLOAT32_ADD, FLOAT32_MULTIPLY


@dataclass(frozen=True)
class Estimate:
    """Synaptic operations of one projection per inference, mean over samples.

    graded: multiply-accumulates, else accumulates. events_per_source: per source neuron and
    inference, mean over sources and samples.
    """

    source: str
    target: str
    graded: bool
    events_per_source: float
    nominal: int
    connections: int
    counted: float

    @property
    def estimate(self) -> float:
        """Nominal connections times events per source."""
        return self.nominal * self.events_per_source

    @property
    def paper_pj(self) -> float:
        """Energy of the estimate at the prices of the literature, 4.6 and 0.9 pJ."""
        return self.estimate * (FLOAT32_ADD + self.graded * FLOAT32_MULTIPLY)

    @property
    def padding(self) -> float:
        """The part of the estimate that falls on padding."""
        return (self.nominal - self.connections) * self.events_per_source

    @property
    def border(self) -> float:
        """What is counted beyond exact connections times events per source."""
        return self.counted - self.connections * self.events_per_source

    @property
    def error(self) -> float:
        """(estimate - counted) / counted; 0 where nothing was counted."""
        return (self.estimate - self.counted) / self.counted if self.counted else 0.0


def estimates(counts: NetworkCounts) -> tuple[Estimate, ...]:
    """One estimate per projection, in the order of layers."""
    return tuple(_estimate(p) for layer in counts.layers for p in layer.incoming)


def _estimate(counts: ProjectionCounts) -> Estimate:
    return Estimate(
        counts.projection.source,
        counts.projection.target,
        counts.graded,
        float(counts.events.mean() / counts.sources),
        counts.nominal,
        counts.connections,
        float(counts.operations.mean()),
    )
