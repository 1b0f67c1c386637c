"""One run of another library's network, in which every tensor says what it stands for."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count, repeat
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from arlif.interop.cells import Cell
from arlif.interop.foreign_layers import Library, Part
from arlif.interop.functions import Following
from arlif.interop.streams import Kind, Mark, Stream, Streams, Whole, lost, tensors
from arlif.layers import evaluating

PER_STEP = (nn.Linear, nn.Identity, nn.Dropout)
"""Layers that do the same to [T, N, features] as to each of its time steps."""


@dataclass
class Recording:
    """What a run showed. violations: why it cannot be converted, in order."""

    following: Following
    returned: Any = None
    violations: list[str] = field(default_factory=list)
    blamed: set[str] = field(default_factory=set)
    calls: dict[str, int] = field(default_factory=dict)
    currents: dict[str, Stream] = field(default_factory=dict)
    whole: tuple[type[nn.Module], ...] = PER_STEP

    def blame(self, path: str, reason: str) -> Mark:
        """Note a violation, the first of a place; what is behind it is not blamed again."""
        if reason and path not in self.blamed:
            self.blamed.add(path)
            self.violations.append(f"{path}: {reason}" if path else reason)
        return lost("")


def record(
    network: nn.Module,
    library: Library,
    layers: dict[str, tuple[nn.Module, Part]],
    given: Tensor,
    when: Whole,
) -> Recording:
    """Run a network once on `given`; raises what the run raises.

    when: whether it is given a frame (SAME) or a whole sequence, and where its time is.
    """
    steps = {Whole.FIRST: given.shape[0], Whole.SECOND: given.shape[1]}.get(when)
    following = Following(Streams(), steps)
    following.put(given, Mark(following.streams.input, when))
    following.unrolled = steps or 0
    recording = Recording(following, whole=(*PER_STEP, *library.whole))
    library.reset(network)
    mode = _Functions(following, library.functions)
    with torch.no_grad(), evaluating(network), _hooked(layers, recording, mode), mode:
        recording.returned = network(given)
    library.reset(network)
    return recording


class _Functions(TorchFunctionMode):
    """Follows functions, but for those inside a layer."""

    def __init__(self, following: Following, functions: str) -> None:
        super().__init__()
        self.following, self.functions, self.depth = following, functions, 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if self.depth == 0:
            name = _called_from(self.functions) or func.__name__
            self.following.follow(name, args, kwargs or {}, result)
        return result


def _called_from(package: str) -> str | None:
    """The outermost function of a package that is running."""
    frame: FrameType | None = sys._getframe(1)
    found = None
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(package):
            found = frame.f_code.co_name
        frame = frame.f_back
    return found


@contextmanager
def _hooked(
    layers: dict[str, tuple[nn.Module, Part]], recording: Recording, mode: _Functions
) -> Iterator[None]:
    def enter(module: nn.Module, args: Any) -> None:
        mode.depth += 1

    def leave(path: str, part: Part, module: Any, args: Any, kwargs: Any, result: Any) -> None:
        mode.depth -= 1
        if mode.depth == 0:
            _passed(recording, path, part, module, (*args, *kwargs.values()), result)

    handles = []
    for path, (module, part) in layers.items():
        handles.append(module.register_forward_pre_hook(enter))
        hook = partial(leave, path, part)
        handles.append(module.register_forward_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _passed(
    recording: Recording, path: str, part: Part, module: nn.Module, args: Any, result: Any
) -> None:
    """Mark what a layer returned."""
    following = recording.following
    mark = following.mark(args[0]) if args else None
    if isinstance(part, str):
        mark = recording.blame(f"{path} ({type(module).__name__})", part)
    elif mark is None:
        return
    elif mark.stream is None:
        mark = recording.blame(f"in front of {path}", mark.reason)
    elif mark.count > 1 or mark.step is Whole.OVER:
        mark = recording.blame(path, "it is fed with a sum over time, which may only end a network")
    if mark.stream is None:
        found: Iterable[Mark] = repeat(mark)
    elif isinstance(part, Cell):
        found = _fired(recording, path, part, mark, args[1:])
    elif isinstance(module, nn.Flatten):
        found = [following.shaped("Flatten", mark, args[0].shape, result.shape)]
    elif mark.step in (Whole.FIRST, Whole.SECOND) and not _takes_all(recording, module):
        reason = "it is given a whole sequence at once; call it once for every time step"
        found = [recording.blame(path, reason)]
    else:
        assert isinstance(part, nn.Module)
        found = [following.through(part, path, mark)]
    returned = list(tensors(result))
    for tensor, one in reversed([*zip(returned, found, strict=False)]):  # the first name counts
        following.put(tensor, one)


def _takes_all(recording: Recording, module: nn.Module) -> bool:
    """Whether a layer may be given all time steps at once, as those of SpikingJelly in mode m."""
    return isinstance(module, recording.whole) or getattr(module, "step_mode", "s") == "m"


def _fired(recording: Recording, path: str, cell: Cell, mark: Mark, state: Any) -> Iterable[Mark]:
    """What a neuron layer returns at its next call."""
    following, call = recording.following, recording.calls.get(path, 0)
    recording.calls[path] = call + 1
    if mark.step in (Whole.FIRST, Whole.SECOND):
        step: int | Whole = mark.step
        reason = "" if call == 0 else "it is called twice; use one neuron layer a call"
    else:
        step = call
        following.unrolled = max(following.unrolled, call + 1)
        reason = _misuse(recording, path, cell, mark, state, call)
    recording.currents.setdefault(path, mark.followed)
    if reason:
        return repeat(recording.blame(path, reason))

    def part(number: int) -> Mark:
        made = cell.part(number)
        layer = made if isinstance(made, nn.Module) else None
        return Mark(following.streams.get(Kind.CELL, (mark.followed,), path, layer, number), step)

    return map(part, count())


def _misuse(recording: Recording, path: str, cell: Cell, mark: Mark, state: Any, call: int) -> str:
    """Why a call is none of a usual loop over time; empty where it is."""
    if mark.step not in (call, Whole.SAME) or recording.currents.get(path, mark.stream) is not (
        mark.stream
    ):
        return (
            f"its call {call + 1} is not fed as the others, at time step {call + 1}; use one "
            "neuron layer a call, call it once a step, and for what goes back in time use the "
            "library's recurrent neurons"
        )
    given = list(tensors(state))
    if call == 0:
        zeros = all(recording.following.mark(t) is None and not t.any() for t in given)
        return "" if zeros else "it starts from a state that is not zero; start it from zeros"
    own = [recording.following.mark(t) for t in given]
    kept = all(
        m is not None
        and m.stream is not None
        and (m.stream.kind, m.stream.path, m.step) == (Kind.CELL, path, call - 1)
        for m in own
    )
    if kept and (given or cell.keeps_state):
        return ""
    return "it is not given the state that its last call returned; pass that on, unchanged"
