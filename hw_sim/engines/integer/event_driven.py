"""Connections that follow events where few inputs are not 0, and multiply where many are."""

from dataclasses import dataclass

import torch
from torch import Tensor

from arlif.core.maps import Conv2d, Dense
from arlif.kernels import events
from hw_sim.engines.integer.channels_last import ChannelsLast, as_window

BREAK_EVEN = 0.08
OUTPUTS = 128
"""Up to this density, and from this many outputs on, events are faster than byte products.

Measured by benchmarks/event_density.py on a processor with VNNI, see docs/engine.md; with fewer
outputs finding the events costs as much as multiplying. They decide about speed, never about a
result.
"""


def follows_events(linear: Conv2d | Dense) -> bool:
    """Whether few enough of a map's inputs may be events for following them to pay."""
    window = as_window(linear)
    return window.weight.shape[0] >= OUTPUTS and events.applies(window)


def follow_events(linear: Conv2d | Dense) -> ChannelsLast:
    """A convolution or dense map evaluated by events; inputs are uint8."""
    kernel = events.EventConvolution(as_window(linear))
    return ChannelsLast(isinstance(linear, Dense), kernel)


@dataclass(frozen=True)
class EventDriven:
    """A map whose batches follow events where they are sparse, else multiply: the same sums."""

    follow: ChannelsLast
    multiply: ChannelsLast

    def __call__(self, x: Tensor) -> Tensor:
        values = x.to(torch.uint8)
        return self._chosen(values)(values)

    def add(self, x: Tensor, sums: Tensor, scale: int) -> None:
        """See ChannelsLast."""
        values = x.to(torch.uint8)
        self._chosen(values).add(values, sums, scale)

    def _chosen(self, values: Tensor) -> ChannelsLast:
        stored = values.movedim(1, -1).contiguous().numpy()  # as the neurons leave it: no copy
        sparse = events.count(stored) <= BREAK_EVEN * stored.size
        return self.follow if sparse else self.multiply
