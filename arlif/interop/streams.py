"""What the tensors of one recorded run stand for: streams, which have a value at every step."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from torch import Tensor, nn

from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import Loop


class Whole(Enum):
    """A value that is not of one time step."""

    SAME = "the same at every step"
    FIRST = "[T, N, ...]"
    SECOND = "[N, T, ...]"
    FRAME = "[1, N, ...], the same at every step"
    OVER = "a sum, mean, maximum or the last over time"


class Kind(Enum):
    """How a stream is made from others."""

    INPUT = "the network's input"
    LAYER = "a layer"
    CELL = "a neuron layer"
    ADD = "+"
    FLATTEN = "all but time and batch, flattened"
    SUM = "the sum over time"
    MEAN = "the mean over time"
    LAST = "the last time step"
    LARGEST = "the largest over time"


OVER_TIME = {"sum": Kind.SUM, "mean": Kind.MEAN, "amax": Kind.LARGEST, "max": Kind.LARGEST}
"""What functions make of all time steps."""
ENDS = (Kind.SUM, Kind.MEAN, Kind.LAST, Kind.LARGEST)
"""Streams without time steps, which only end a network."""


_KEEP_SIGNS = (nn.Identity, nn.Dropout, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)


@dataclass(frozen=True, eq=False)
class Stream:
    """One node of the network that a run unrolls.

    path: of the module. layer: what becomes of it, if anything. part: which of a neuron layer's
    tensors.
    """

    kind: Kind
    sources: tuple["Stream", ...] = ()
    path: str = ""
    layer: nn.Module | None = None
    part: int = 0

    @property
    def is_positive(self) -> bool:
        """Whether these are spikes, perhaps pooled, none of which is negative."""
        if self.kind is Kind.CELL:
            return isinstance(self.layer, SpikingNeuron | Loop)
        kept = self.kind is Kind.FLATTEN or isinstance(self.layer, _KEEP_SIGNS)
        return kept and self.sources[0].is_positive


@dataclass(frozen=True)
class Mark:
    """What a tensor stands for: a stream at a time step, or why it cannot be followed.

    step: a number, or what else the value is of. count: steps added up in it, the last one `step`.
    """

    stream: Stream | None
    step: int | Whole
    count: int = 1
    reason: str = ""

    @property
    def followed(self) -> Stream:
        """The stream, of a mark that has one."""
        assert self.stream is not None
        return self.stream

    def at(self, step: int | Whole) -> "Mark":
        """The same stream at another step."""
        return replace(self, step=step)


def lost(reason: str) -> Mark:
    """A tensor that cannot be followed, and why."""
    return Mark(None, Whole.SAME, reason=reason)


class Streams:
    """Streams by what they are made from, so that equal ones are made once."""

    def __init__(self) -> None:
        self._made: dict[Any, Stream] = {}
        self.input = Stream(Kind.INPUT)

    def get(
        self,
        kind: Kind,
        sources: tuple[Stream, ...],
        path: str = "",
        layer: nn.Module | None = None,
        part: int = 0,
    ) -> Stream:
        """The stream of these."""
        ordered = sorted(sources, key=id) if kind is Kind.ADD else sources
        key = (kind, path, part, *map(id, ordered))
        return self._made.setdefault(key, Stream(kind, sources, path, layer, part))


def tensors(values: Any) -> Iterable[Tensor]:
    """Every tensor in nested tuples, lists and dicts, in order."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from tensors(value)
    elif isinstance(values, tuple | list):
        for value in values:
            yield from tensors(value)
