"""Connections that follow events where few inputs are not 0, and multiply where many are."""

from dataclasses import dataclass

import torch
from torch import Tensor

from arlif.core.linear import Conv2d, Dense, Interval
from arlif.kernels import events
from hw_sim.engine.evaluation import Evaluate

BREAK_EVEN = 0.02
OUTPUTS = 64
"""Below this density, and from this many outputs on, events are faster than byte products.

Measured by benchmarks/events.py on a processor with VNNI, see docs/engine.md; with fewer outputs
finding the events costs more than multiplying. They decide about speed, never about a result.
"""


def event_driven(
    linear: Conv2d | Dense, interval: Interval, device: torch.device, otherwise: Evaluate
) -> Evaluate:
    """`otherwise`, or for batches sparse enough what gives the same from events."""
    window = linear if isinstance(linear, Conv2d) else Conv2d(linear.weight[:, :, None, None])
    fits = device.type == "cpu" and interval[0] >= 0 and interval[1] <= 255
    if not fits or window.weight.shape[0] < OUTPUTS or not events.applies(window):
        return otherwise
    return _EventDriven(isinstance(linear, Dense), events.EventConvolution(window), otherwise)


@dataclass(frozen=True)
class _EventDriven:
    flat: bool
    follow: events.EventConvolution
    otherwise: Evaluate

    def __call__(self, x: Tensor) -> Tensor:
        images = x.flatten(1)[:, :, None, None] if self.flat else x
        frames = images.to(torch.uint8).movedim(1, -1).contiguous()
        if events.count(frames.numpy()) > BREAK_EVEN * frames.numel():
            return self.otherwise(frames.flatten(1) if self.flat else frames.movedim(-1, 1))
        sums = torch.from_numpy(self.follow(frames.numpy(), torch.get_num_threads()))
        return sums.flatten(1) if self.flat else sums.movedim(-1, 1)
