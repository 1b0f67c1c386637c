"""Connections that follow events where few inputs are not 0, and multiply where many are."""

from dataclasses import dataclass

import torch
from torch import Tensor

from arlif.core.maps import Conv2d, Dense, Interval
from arlif.kernels import events
from hw_sim.engines.integer.compiled_map import CompiledMap

BREAK_EVEN = 0.08
OUTPUTS = 128
"""Up to this density, and from this many outputs on, events are faster than byte products.

Measured by benchmarks/event_density.py on a processor with VNNI, see docs/engine.md; with fewer
outputs finding the events costs as much as multiplying. They decide about speed, never about a
result.
"""


def event_driven(
    linear: Conv2d | Dense, interval: Interval, device: torch.device, otherwise: CompiledMap
) -> CompiledMap:
    """`otherwise`, or for batches sparse enough what gives the same from events."""
    window = _window(linear)
    fits = device.type == "cpu" and interval[0] >= 0 and interval[1] <= 255
    if not fits or window.weight.shape[0] < OUTPUTS or not events.applies(window):
        return otherwise
    return _EventDriven(follow_events(linear), otherwise)


def follow_events(linear: Conv2d | Dense) -> CompiledMap:
    """A convolution or dense map evaluated by events; inputs are uint8."""
    return _Follow(isinstance(linear, Dense), events.EventConvolution(_window(linear)))


def _window(linear: Conv2d | Dense) -> Conv2d:
    """A dense map is a convolution of one pixel."""
    return linear if isinstance(linear, Conv2d) else Conv2d(linear.weight[:, :, None, None])


@dataclass(frozen=True)
class _Follow:
    flat: bool
    convolve: events.EventConvolution

    def __call__(self, x: Tensor) -> Tensor:
        images = x.flatten(1)[:, :, None, None] if self.flat else x
        frames = images.movedim(1, -1).contiguous().numpy()
        sums = torch.from_numpy(self.convolve(frames, torch.get_num_threads()))
        return sums.flatten(1) if self.flat else sums.movedim(-1, 1)


@dataclass(frozen=True)
class _EventDriven:
    follow: CompiledMap
    otherwise: CompiledMap

    def __call__(self, x: Tensor) -> Tensor:
        values = x.to(torch.uint8)
        stored = values.movedim(1, -1).contiguous().numpy()  # as the neurons leave it: no copy
        sparse = events.count(stored) <= BREAK_EVEN * stored.size
        return (self.follow if sparse else self.otherwise)(values)
