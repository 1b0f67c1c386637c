"""What leads into a layer: where events are, how they are held back and joined, where they add."""

from dataclasses import dataclass
from math import prod

from arlif.core.nodes import Projection
from export.verilog.memories import Walk
from export.verilog.pipeline import address_bits
from export.verilog.scattering import Paths, Scattering

SPARE = 15
"""Places of a queue, at least, beside those of what is under way."""
FEW = 3
"""The same of a queue of the input, which waits."""
VALUE_BITS = 9
"""Of an input's value, -127 to 127 and what is clamped to it."""


@dataclass(frozen=True)
class Place:
    """An event's place (c, y, x) in a node of `shape`, and how many bits each part has."""

    shape: tuple[int, int, int]

    @property
    def c(self) -> int:
        """Of the channel."""
        return address_bits(self.shape[0])

    @property
    def y(self) -> int:
        """Of the row."""
        return address_bits(self.shape[1])

    @property
    def x(self) -> int:
        """Of the column."""
        return address_bits(self.shape[2])

    @property
    def bits(self) -> int:
        """Of all three."""
        return self.c + self.y + self.x


@dataclass(frozen=True)
class Source:
    """A projection into a layer.

    place: where events are behind ORs of spikes. sent: where they are as they are sent. ors: how
    the ORs' places are reached, rows and columns. still: whether its one frame stays for all steps.
    valued: whether its events come with values. margin: places that its queue keeps free for what
    is under way. steps: of a sample.
    """

    projection: Projection
    paths: Scattering
    walk: Walk
    place: Place
    sent: Place
    ors: tuple[Paths, Paths] | None
    still: bool
    valued: bool
    margin: int
    steps: int

    @property
    def graded(self) -> bool:
        """Whether values are multiplied: not those of ORs, which are 1."""
        return self.valued and self.ors is None

    @property
    def waits(self) -> int:
        """Steps that its queue holds events back."""
        return 0 if self.still else min(self.projection.delay, self.steps)

    @property
    def v_bits(self) -> int:
        """Bits of an event's value."""
        return VALUE_BITS if self.graded else 2

    @property
    def word_bits(self) -> int:
        """Bits of its queue: {last, c, y, x} and, where it is graded, the value."""
        return 1 + self.sent.bits + (VALUE_BITS if self.valued else 0)

    @property
    def log_depth(self) -> int:
        """Of its queue."""
        held = 0
        if 0 < self.waits < self.steps:
            held = (self.waits + 1) * (prod(self.sent.shape) + 1)
        return address_bits(self.margin + held + (FEW if self.valued else SPARE))

    def updates(self, y: int, x: int, c: int) -> int:
        """Clocks that an event takes: paths times blocks, at least 1."""
        return max(1, self.paths.taps(y, x) * self.walk.counts[c])


@dataclass(frozen=True)
class Sums:
    """Accumulators of a layer, and the sources that add to them.

    waits: steps before they count, of a still input that comes late.
    """

    name: str
    sources: tuple[int, ...]
    still: bool
    waits: int = 0
