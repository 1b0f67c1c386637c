"""What the tensors of one recorded run stand for: streams, which have a value at every step."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from torch import nn


class Whole(Enum):
    """A value that is not of one time step."""

    SAME = "the same at every step"
    FIRST = "[T, N, ...]"
    SECOND = "[N, T, ...]"
    OVER = "a sum or mean over time"


class Kind(Enum):
    """How a stream is made from others."""

    INPUT = "the network's input"
    LAYER = "a layer"
    CELL = "a neuron layer"
    ADD = "+"
    FLATTEN = "all but time and batch, flattened"
    SUM = "the sum over time"
    MEAN = "the mean over time"


@dataclass(frozen=True, eq=False)
class Stream:
    """One node of the network that a run unrolls.

    path: of the module. layer: what becomes of it. part: which of a neuron layer's tensors.
    """

    kind: Kind
    sources: tuple["Stream", ...] = ()
    path: str = ""
    layer: nn.Module | None = None
    part: int = 0


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
