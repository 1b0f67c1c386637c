"""What torch's functions do to tensors that are followed through a recorded run."""

import math
import re
from collections.abc import Iterable
from inspect import signature
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn

from arlif import layers
from arlif.interop.cures import cure
from arlif.interop.streams import OVER_TIME, Kind, Mark, Stream, Streams, Whole, lost, tensors

Arguments = tuple[Any, ...]

SAME = {
    *("detach", "clone", "contiguous", "float", "to", "cpu", "requires_grad_", "detach_", "type"),
    *("dropout", "alias", "type_as"),
}
"""Functions that change no value, in eval mode."""

SHAPED = {"flatten", "view", "reshape", "squeeze", "unsqueeze", "unflatten"}
FRESH = {
    *("zeros_like", "ones_like", "empty_like", "rand_like", "randn_like", "full_like"),
    *("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"),
}
"""Functions that ask a tensor for its shape only."""

POOLS: dict[str, type[nn.Module]] = {
    "avg_pool1d": layers.AvgPool1d,
    "avg_pool2d": layers.AvgPool2d,
    "max_pool1d": layers.MaxPool1d,
    "max_pool2d": layers.MaxPool2d,
    "adaptive_avg_pool1d": layers.AdaptiveAvgPool1d,
    "adaptive_avg_pool2d": layers.AdaptiveAvgPool2d,
}
"""Functions that are layers."""

PART = "a part of a tensor has no counterpart; only time steps may be taken"


class Following:
    """Marks of tensors, and how functions pass them on.

    steps: T where the run is given a whole sequence; None where it is given one frame.
    """

    def __init__(self, streams: Streams, steps: int | None) -> None:
        self.streams, self.steps = streams, steps
        self.marks: dict[int, Mark] = {}
        self.alive: list[Any] = []
        self.buffers: dict[int, dict[int, Mark]] = {}
        self.indexed = False
        self.unrolled = 0

    def mark(self, tensor: Any) -> Mark | None:
        """What a tensor stands for; None for one that does not depend on the input."""
        return self.marks.get(id(tensor)) if isinstance(tensor, Tensor) else None

    def put(self, tensor: Tensor, mark: Mark) -> None:
        """Say what a tensor stands for, which stays alive so that no other gets its id."""
        self.marks[id(tensor)] = mark
        self.alive.append(tensor)

    def follow(self, name: str, args: Arguments, kwargs: dict[str, Any], result: Any) -> None:
        """Mark what a function returned; `name` is the function's."""
        given = [m for m in map(self.mark, tensors((args, kwargs))) if m is not None]
        if not given or name in FRESH:
            return
        if name == "__setitem__":
            self._store(*args)
            return
        found = list(tensors(result))
        if not found:
            return
        broken = next((m for m in given if m.stream is None), None)
        made = repeat(broken) if broken else self._made(name, args, kwargs, result, given)
        for tensor, mark in zip(found, made, strict=False):
            self.put(tensor, mark)

    def _made(
        self, name: str, args: Arguments, kwargs: dict[str, Any], result: Any, given: list[Mark]
    ) -> Iterable[Mark]:
        name = name.strip("_")
        if name in SAME or (name == "relu" and given[0].followed.is_positive):
            return [given[0]]
        if name in SHAPED:
            return [self.shaped(name, given[0], args[0].shape, result.shape)]
        if name in ("getitem", "select", "unbind"):
            return self._indexed(name, args, kwargs, given[0], result)
        if name == "stack":
            return [self.stacked(args[0], _argument(args, kwargs, "dim", 0))]
        if name in ("add", "iadd", "radd"):
            return [self._added(args, kwargs, given)]
        if name in OVER_TIME:
            dim = _argument(args, kwargs, "dim", None)
            found = self._over_time(name, given[0], dim, args[0].ndim)
            return [found, lost("the places of a maximum are read; read its values")]
        if name in ("permute", "transpose", "swapaxes"):
            return [_swapped(name, args, given[0])]
        if name in ("repeat", "expand"):
            return [self._shown(name, args, given[0], result)]
        if name in ("mul", "rmul", "imul", "multiply"):
            return [self._scaled(args, given)]
        if name in ("truediv", "div", "itruediv"):
            return [self._divided(args, given[0])]
        if name in POOLS:
            layer = POOLS[name](*args[1:], **kwargs)
            return [self.through(layer, _named(name, layer, given[0].followed), given[0])]
        return repeat(lost(f"the function {name} has no counterpart; {cure(name)}"))

    def through(self, layer: nn.Module, path: str, mark: Mark) -> Mark:
        """Behind a layer."""
        return Mark(self.streams.get(Kind.LAYER, (mark.followed,), path, layer), mark.step)

    def _scaled(self, args: Arguments, given: list[Mark]) -> Mark:
        """A number times a value of one time step."""
        factor = args[1] if self.mark(args[0]) is given[0] else args[0]
        single = torch.is_tensor(factor) and factor.numel() == 1
        number = factor.item() if single and len(given) == 1 else factor
        if not isinstance(number, int | float) or given[0].count > 1:
            return lost(f"the function mul has no counterpart; {cure('mul')}")
        if given[0].step is Whole.OVER:
            return lost("a factor behind time has no counterpart; put it into the weights")
        return self.through(layers.Scale(number), f"times_{number}".replace(".", "_"), given[0])

    def _shown(self, name: str, args: Arguments, mark: Mark, result: Any) -> Mark:
        """A frame [1, N, ...] at every time step."""
        before = args[0].shape
        if mark.step is Whole.FRAME and result.shape[1:] == before[1:]:
            self.unrolled = max(self.unrolled, len(result))
            return mark.at(Whole.FIRST)
        return lost(
            f"{name} makes {list(result.shape)} of {list(before)}; only a frame may be shown at "
            "every time step, x.unsqueeze(0).repeat(T, 1, ...)"
        )

    def shaped(self, name: str, mark: Mark, before: torch.Size, after: torch.Size) -> Mark:
        if name == "unsqueeze" and mark.step is Whole.SAME and after == (1, *before):
            return mark.at(Whole.FRAME)
        lead = 2 if mark.step in (Whole.FIRST, Whole.SECOND) else 1
        if after == before:
            return mark
        flat = (*before[:lead], math.prod(before[lead:]))
        if after == flat and mark.count == 1:
            return Mark(self.streams.get(Kind.FLATTEN, (mark.followed,)), mark.step)
        return lost(
            f"{name} makes {list(after)} of {list(before)}, and only flattening all but time and "
            "batch has a counterpart; give the network inputs of the shape that its layers take"
        )

    def _indexed(
        self, name: str, args: Arguments, kwargs: dict[str, Any], mark: Mark, result: Any
    ) -> Iterable[Mark]:
        places = {Whole.FIRST: 0, Whole.SECOND: 1}
        if mark.step not in places:
            self.indexed |= mark.step is Whole.SAME
            return repeat(lost(PART))
        assert isinstance(mark.step, Whole)
        axis, length = places[mark.step], args[0].shape[places[mark.step]]
        if name == "unbind":
            dim = _argument(args, kwargs, "dim", 0)
            if dim == axis:
                return [mark.at(step) for step in range(length)]
        elif name == "select" and args[1] == axis:
            return [mark.at(int(args[2]) % length)]
        elif name == "getitem":
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            rest = [part for place, part in enumerate(index) if place != axis]
            whole = all(part == slice(None) or part is Ellipsis for part in rest)
            if len(index) > axis and isinstance(index[axis], int) and whole:
                return [mark.at(index[axis] % length)]
        return repeat(lost(PART))

    def _store(self, buffer: Tensor, index: Any, value: Any) -> None:
        """buffer[t] = value, until every time step has one."""
        mark = self.mark(value)
        held = self.buffers.setdefault(id(buffer), {})
        self.put(buffer, lost("a tensor is filled with more than the time steps of one layer"))
        place = _first(index)
        if mark is not None and place is not None:
            held[place % len(buffer)] = mark
            if len(held) == len(buffer):
                self.put(buffer, self._sequence([held[t] for t in range(len(buffer))], 0))

    def stacked(self, parts: Any, dim: int) -> Mark:
        """A list of every time step's value as one sequence."""
        marks = [self.mark(part) for part in parts]
        if any(mark is None for mark in marks):
            return lost("a list is stacked that holds more than the time steps of one layer")
        return self._sequence([mark for mark in marks if mark is not None], dim)

    def _sequence(self, marks: list[Mark], dim: int) -> Mark:
        first = marks[0]
        one = all(m.stream is first.stream and m.count == 1 for m in marks)
        ordered = [m.step for m in marks] == list(range(len(marks)))
        same = all(m.step is Whole.SAME for m in marks)
        if first.stream is None or not one or not (ordered or same) or dim not in (0, 1):
            return (
                first
                if first.stream is None
                else lost(
                    "a list is stacked that is not every time step of one layer, in order; append "
                    "what the last layer returns at every step, and stack along time"
                )
            )
        return first.at(Whole.FIRST if dim == 0 else Whole.SECOND)

    def _added(self, args: Arguments, kwargs: dict[str, Any], given: list[Mark]) -> Mark:
        first = given[0]
        if len(given) == 1:
            other = args[1] if self.mark(args[0]) is first else args[0]
            empty = not torch.as_tensor(other).any()
            return (
                first
                if empty
                else lost(
                    "something is added that does not come from the inputs; put a constant into "
                    "a bias, leave out noise, and for spikes that go back in time use the "
                    "library's recurrent neurons"
                )
            )
        second = given[1]
        if "alpha" in kwargs:
            return lost("add with alpha scales a branch; scale the weights")
        running = self._running(first, second) or self._running(second, first)
        if running:
            return running
        steps = {m.step for m in (first, second)} - {Whole.SAME}
        if len(steps) > 1 or max(first.count, second.count) > 1:
            return lost(
                "values of different time steps are added; for neurons that feed themselves use "
                "the library's recurrent neurons"
            )
        step = steps.pop() if steps else Whole.SAME
        return Mark(self.streams.get(Kind.ADD, (first.followed, second.followed)), step)

    def _running(self, total: Mark, value: Mark) -> Mark | None:
        """A sum of a layer's first time steps and its next."""
        if total.stream is not value.stream or not isinstance(value.step, int):
            return None
        if total.step != value.step - 1 or total.count != value.step or value.count != 1:
            return None
        return Mark(total.stream, value.step, count=total.count + 1)

    def _over_time(self, name: str, mark: Mark, dim: Any, ndim: int) -> Mark:
        dims = dim if isinstance(dim, tuple | list) else (dim,)
        axis = {Whole.FIRST: 0, Whole.SECOND: 1}.get(mark.step)  # type: ignore[arg-type]
        if axis is None or len(dims) != 1 or dims[0] not in (axis, axis - ndim):
            return lost(f"{name} over anything but time has no counterpart; leave it out")
        return Mark(self.streams.get(OVER_TIME[name], (mark.followed,)), Whole.OVER)

    def _divided(self, args: Arguments, mark: Mark) -> Mark:
        if isinstance(args[1], int | float) and args[1] == self.unrolled:
            total = self.totalled(mark)
            if total.followed.kind is Kind.SUM:
                return Mark(self.streams.get(Kind.MEAN, total.followed.sources), Whole.OVER)
        return lost("a division has no counterpart; put constant factors into the weights")

    def totalled(self, mark: Mark) -> Mark:
        """A sum of every time step as the sum over time."""
        if mark.count > 1 and mark.count == self.unrolled:
            return Mark(self.streams.get(Kind.SUM, (mark.followed,)), Whole.OVER)
        return mark


def _named(name: str, layer: Any, behind: Stream) -> str:
    """What a function that is a layer is called: all that tells it from another, less defaults."""
    usual = {n: p.default for n, p in signature(type(layer)).parameters.items()}
    usual |= {"stride": layer.kernel_size} if "stride" in usual else {}
    said = [f"{n} {getattr(layer, n)}" for n, value in usual.items() if getattr(layer, n) != value]
    where = f"behind {behind.path}" if behind.path else ""
    return re.sub(r"\W+", "_", " ".join([name, *said, where])).strip("_")


def _first(index: Any) -> int | None:
    """t of [t] and of [t, :, ...]; None of other indices."""
    first, *rest = index if isinstance(index, tuple) else (index,)
    whole = all(part == slice(None) or part is Ellipsis for part in rest)
    return first if isinstance(first, int) and whole else None


def _swapped(name: str, args: Arguments, mark: Mark) -> Mark:
    """Time and batch exchanged; nothing else may be."""
    order = args[1] if isinstance(args[1], tuple | list) else args[1:]
    axes = [int(axis) % args[0].ndim for axis in order]
    whole = [1, 0, *range(2, args[0].ndim)]
    other = {Whole.FIRST: Whole.SECOND, Whole.SECOND: Whole.FIRST}
    if axes in (whole, [0, 1], [1, 0]) and mark.step in other:
        return mark.at(other[mark.step])
    return lost(f"{name} exchanges more than time and batch; {cure(name)}")


def _argument(args: Arguments, kwargs: dict[str, Any], name: str, default: Any) -> Any:
    """The argument behind the tensor."""
    return kwargs.get(name, args[1] if len(args) > 1 else default)
