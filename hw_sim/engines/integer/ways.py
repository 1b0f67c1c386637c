"""Ways to the same sums, of which every batch takes the one that is fastest for it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Interval
from arlif.kernels import byte_products, events, spike_tables
from arlif.kernels.byte_frames import ByteSums
from arlif.kernels.byte_products import ByteProducts
from arlif.kernels.call import Bound
from arlif.kernels.events import EventConvolution
from arlif.kernels.reused import Empty
from arlif.kernels.spike_tables import SpikeTables

EVENT, PIXEL = (5.0, 5.5), (16_000, 26_000)
"""What an event costs for each output, and a pixel of the sums, in what else would be products.

Without VNNI, and with it. Measured by benchmarks/event_density.py, see
docs/engine.md. They and the next four decide about speed, never about a result.
"""
NARROWEST = 64
"""Outputs for which an event costs as much as for fewer."""
INPUTS = 1024
"""Inputs from which on a window that is never moved by less than all of it follows events: with
fewer, finding them is dear."""
FULL = 32
"""Outputs that fill a row of a table in the widest vectors."""
PIXELS = {4: 64, 2: 256}
"""Pixels of the sums from which on tables are worth making, by the inputs of a pattern."""


@dataclass(frozen=True, eq=False)
class Ways:
    """The sums of a convolution of bytes [N, H, W, C], on a CPU.

    sparse: the density of inputs that are not 0 up to which events are followed. frames: how many
    frames took which way so far.
    """

    multiply: ByteProducts
    look_up: SpikeTables | None
    follow: EventConvolution | None
    sparse: float
    frames: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls, linear: Conv2d, interval: Interval, empty: Empty = np.empty, once: bool = False
    ) -> "Ways":
        """Those that pay here, where byte products know the map on inputs in `interval`.

        once: whether a frame has one window, which is all of it.
        """
        tables = spike_tables.applies(linear, interval) and _tables_pay(linear, interval)
        sparse = break_even(linear, once) if events.applies(linear) else 0.0
        return cls(
            ByteProducts(linear, interval, empty),
            SpikeTables(linear, interval, empty) if tables else None,
            EventConvolution(linear, interval, empty) if sparse > 0 else None,
            sparse,
        )

    def __call__(self, inputs: NDArray[np.uint8], threads: int) -> NDArray[Any]:
        """New sums [N, H', W', C']: int16, or int32."""
        return self._chosen(inputs)(inputs, threads)

    def bind(self, inputs: NDArray[np.uint8], threads: int) -> Bound:
        """New sums of contiguous inputs, and what writes them in the way that is fastest then."""
        write, sums = self.multiply.bind(inputs, threads)
        others = filter(None, (self.look_up, self.follow))
        calls = {way: way.call(inputs, threads, sums) for way in others}
        calls[self.multiply] = write
        return lambda: calls[self._chosen(inputs)](), sums

    def put(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any]) -> None:
        """Write the sums, whatever was there."""
        self._chosen(inputs).put(inputs, threads, sums)

    def add(self, inputs: NDArray[np.uint8], threads: int, sums: NDArray[Any], scale: int) -> None:
        """Add `scale` times the sums to those that are there."""
        self._chosen(inputs).add(inputs, threads, sums, scale)

    def _chosen(self, inputs: NDArray[np.uint8]) -> ByteSums:
        if self.follow and events.count(inputs) <= self.sparse * inputs.size:
            self.frames["events"] += len(inputs)
            return self.follow
        rows, columns, _ = self.multiply.frames_of(inputs).sums
        if self.look_up and len(inputs) * rows * columns >= PIXELS[self.look_up.step]:
            self.frames["tables"] += len(inputs)
            return self.look_up
        self.frames["products"] += len(inputs)
        return self.multiply


def _tables_pay(linear: Conv2d, interval: Interval) -> bool:
    """Whether tables are as fast as products; beside VNNI those of sums, or half empty, are not."""
    full = len(linear.weight) >= FULL and spike_tables.group_of(linear, interval) == 4
    return full or not byte_products.in_32_bits()


def break_even(linear: Conv2d, once: bool = False) -> float:
    """The density of events up to which following them is faster, 0 where it never is.

    once: see Ways.of.
    """
    outputs, channels, height, width = linear.weight.shape
    inputs, block = channels * height * width, min(outputs, events.WIDEST)
    if (once or height * width == 1) and inputs < INPUTS:
        return 0.0
    beside_vnni = byte_products.in_32_bits()
    event = EVENT[beside_vnni] * max(block, NARROWEST)
    return max(0.0, (inputs * block - PIXEL[beside_vnni]) / (inputs * event))
