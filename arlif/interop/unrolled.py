"""Networks of other libraries with a forward of their own: what one run shows, as a network."""

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx, nn

from arlif.base.errors import LoweringError, first_line, require
from arlif.core.network import INPUT, READOUT
from arlif.interop.cells import Cell
from arlif.interop.foreign_layers import Library, Part, parts, refuse
from arlif.interop.functions import Following
from arlif.interop.recording import Recording, record
from arlif.interop.streams import ENDS, Kind, Mark, Stream, Whole
from arlif.layers import Flatten, Integrator, Repeat, evaluating

SHOWN = 4
"""Samples of the example that a network is run on."""

UNLIKE = 0.01
"""Which share of a network's outputs may differ, by the rounding of reals."""


def from_run(network: nn.Module, example: Tensor, library: Library) -> nn.Module:
    """The network over [T, N, ...] that a forward means, as one run on an example shows.

    example: [1 or T, N, ...]. The forward takes one time step [N, ...]; or it holds the loop over
    time, and takes one frame, which is shown at every step, or a sequence, time first or second.
    Raises LoweringError naming everything that has no counterpart.
    """
    layers = parts(network, library)
    given = example[:, :SHOWN].repeat_interleave(1 if example.shape[1] > 1 else 2, dim=1)
    failures: dict[str, str] = {}
    blamed = None
    for when, x in (
        (Whole.SAME, given[0]),
        (Whole.FIRST, given),
        (Whole.SECOND, given.transpose(0, 1).contiguous()),
    ):
        try:
            recording = record(network, library, layers, x, when)
        except Exception as error:  # whatever a network raises on what it is not made for
            failures[f"on {list(x.shape)} "] = f"{type(error).__name__}: {first_line(error)}"
            continue
        if when is Whole.SAME and recording.following.indexed:
            continue
        mark, returned = _output(recording, layers)
        if not recording.violations:
            network = _Folding(layers, recording.following, mark).module()
            return _followed(network, x, when, returned, mark)
        blamed = blamed or recording
    if blamed is not None:
        raise LoweringError("; ".join(blamed.violations))
    refuse(layers)
    reasons = {*failures.values()}
    told = [*reasons] if len(reasons) == 1 else [f"{on}{why}" for on, why in failures.items()]
    raise LoweringError(
        f"its forward fails {'; '.join(told)}; it must run on one "
        "step [N, ...], or on all [T, N, ...], of any number of samples N"
    )


def _output(
    recording: Recording, layers: dict[str, tuple[nn.Module, Part]]
) -> tuple[Mark, Tensor | None]:
    """What the network returns, the first of what can be computed, and the tensor itself."""
    following = recording.following
    found: list[tuple[Mark, Any]] = []
    for value in _candidates(recording.returned):
        listed = isinstance(value, list)
        mark = following.stacked(value, 0) if listed else following.mark(value)
        if mark is not None:
            whole = _last(recording, following.totalled(mark), layers)
            found.append((whole, torch.stack(value) if listed else value))
    reasons = [_unfit(recording, mark, layers) for mark, _ in found]
    for (mark, value), reason in zip(found, reasons, strict=True):
        if not reason:
            _require_every_step(recording)
            return mark, value
    recording.blame("", reasons[0] if reasons else _nothing_found(recording.returned))
    return Mark(None, Whole.SAME), None


def _last(recording: Recording, mark: Mark, layers: dict[str, tuple[nn.Module, Part]]) -> Mark:
    """The last of many potentials as such; all else as it is."""
    following, stream = recording.following, mark.stream
    if stream is None or stream.kind is not Kind.CELL or mark.count > 1:
        return mark
    cell = layers[stream.path][1]
    potential = isinstance(cell, Cell) and isinstance(cell.part(stream.part), Integrator)
    if not potential or following.unrolled < 2 or mark.step != following.unrolled - 1:
        return mark
    return Mark(following.streams.get(Kind.LAST, (stream,)), Whole.OVER)


def _nothing_found(returned: Any) -> str:
    """Why nothing that is returned comes from the inputs, as far as the recording saw."""
    if not _candidates(returned):
        kind = "nothing" if returned is None else f"a {type(returned).__name__}"
        return f"it returns {kind}; return a tensor, or a tuple of tensors"
    return (
        "what it returns does not depend on its input, as far as torch shows it; return what the "
        "last layer returns, and neither an attribute of it, such as v, nor by way of NumPy"
    )


def _require_every_step(recording: Recording) -> None:
    """Note where neuron layers are not called once a time step, unless more is wrong."""
    counts, steps = set(recording.calls.values()), recording.following.unrolled
    if not recording.violations and (len(counts) > 1 or not counts <= {1, steps}):
        calls = ", ".join(f"{path} {count} times" for path, count in recording.calls.items())
        recording.blame(
            "",
            f"of {steps} time steps that are given, {calls} is called; call every neuron layer "
            "once a time step, and give as many steps as the loop has",
        )


def _candidates(returned: Any) -> list[Any]:
    """Tensors, and lists with a tensor for each time step, that a network may mean to return."""
    if isinstance(returned, list) and len(returned) > 1:
        return [returned]
    if isinstance(returned, tuple | list):
        return [found for part in returned for found in _candidates(part)]
    return [returned] if isinstance(returned, Tensor) else []


def _unfit(recording: Recording, mark: Mark, layers: dict[str, tuple[nn.Module, Part]]) -> str:
    """Why something that is returned cannot be a network's output."""
    if mark.stream is None:
        return mark.reason
    stream = mark.stream
    while stream.kind in (*ENDS, Kind.FLATTEN):
        stream = stream.sources[0]
    part = layers[stream.path][1] if stream.kind is Kind.CELL else None
    made = part.part(stream.part) if isinstance(part, Cell) else None
    if isinstance(made, str):
        return f"{stream.path}: {made}"
    if mark.count > 1 or (isinstance(mark.step, int) and recording.following.unrolled > 1):
        return (
            "it returns one time step of many; return every step of the last layer, stacked, or "
            "their sum, mean or maximum"
        )
    return ""


def _followed(
    module: nn.Module, x: Tensor, when: Whole, returned: Tensor | None, mark: Mark
) -> nn.Module:
    """The network, which was seen to return what the other returned."""
    assert returned is not None
    ours = {Whole.SAME: x[None], Whole.FIRST: x, Whole.SECOND: x.transpose(0, 1)}[when]
    with torch.no_grad(), evaluating(module):
        got = module(ours)
    want = returned.transpose(0, 1) if mark.step is Whole.SECOND else returned
    got = got if got.shape == want.shape else got[0]
    wrong = (got - want).abs() > 1e-3 * (1 + want.abs())
    require(
        got.shape == want.shape and float(wrong.float().mean()) <= UNLIKE,
        "its forward does something that one run does not show, since what was recognised of it "
        "returns other values; write the usual loop: every layer once a time step, without "
        "branches on values",
        LoweringError,
    )
    return module


_ENDS: dict[Kind, tuple[Callable[..., Any], int]] = {
    Kind.SUM: (torch.sum, 0),
    Kind.MEAN: (torch.mean, 0),
    Kind.LAST: (operator.getitem, -1),
    Kind.LARGEST: (torch.amax, 0),
}
"""How all time steps of a tensor become one, and the second argument of that."""


class _Folding:
    """The graph of what a run unrolled."""

    def __init__(
        self, layers: dict[str, tuple[nn.Module, Part]], following: Following, output: Mark
    ) -> None:
        self.layers = layers
        self.root, self.graph = nn.Module(), fx.Graph()
        self.nodes: dict[Any, fx.Node] = {}
        still = following.steps is None and output.step is not Whole.SAME
        shown = isinstance(output.step, Whole) and still
        self.repeat = Repeat(following.unrolled) if shown else None
        self.graph.output(self._moving(output.followed))

    def module(self) -> nn.Module:
        """The network."""
        return fx.GraphModule(self.root, self.graph)

    def _node(self, stream: Stream) -> fx.Node:
        if stream not in self.nodes:
            self.nodes[stream] = self._made(stream)
        return self.nodes[stream]

    def _made(self, stream: Stream) -> fx.Node:
        if stream.kind is Kind.INPUT:
            return self.graph.placeholder("x")
        if stream.kind is Kind.CELL:
            return self._cell(stream)
        still = self._is_still(stream)
        sources = [self._node(s) if still else self._moving(s) for s in stream.sources]
        if stream.kind is Kind.ADD:
            return self.graph.call_function(torch.add, tuple(sources))
        if stream.kind in ENDS:
            over, place = _ENDS[stream.kind]
            return self.graph.call_function(over, (sources[0], place))
        layer = Flatten() if stream.kind is Kind.FLATTEN else stream.layer
        assert layer is not None
        return self._call(stream.path or "flatten", layer, sources[0])

    def _cell(self, stream: Stream) -> fx.Node:
        cell: Any = self.layers[stream.path][1]
        value = self._moving(stream.sources[0])
        layer = cell.part(stream.part)
        if isinstance(layer, str):
            raise LoweringError(f"{stream.path}: {layer}")
        if cell.drive is not None:
            value = self._call(f"{stream.path}_in", cell.drive, value)
        return self._call(stream.path, layer, value)

    def _moving(self, stream: Stream) -> fx.Node:
        """A stream with its time steps, where one frame is shown at each of them."""
        node = self._node(stream)
        if self.repeat is None or not self._is_still(stream):
            return node
        if (stream, "moving") not in self.nodes:
            self.nodes[stream, "moving"] = self._call("shown", self.repeat, node)
        return self.nodes[stream, "moving"]

    def _is_still(self, stream: Stream) -> bool:
        """Whether no neuron lies between the input and a stream."""
        return stream.kind is not Kind.CELL and all(map(self._is_still, stream.sources))

    def _call(self, path: str, layer: nn.Module, value: fx.Node) -> fx.Node:
        held = dict(self.root.named_children())
        name = path.replace(".", "_")
        while (name in held and held[name] is not layer) or self._reserved(name, held):
            name += "_"
        self.root.add_module(name, layer)
        return self.graph.call_module(name, (value,))

    def _reserved(self, name: str, held: dict[str, nn.Module]) -> bool:
        return name in (INPUT, READOUT, "") or (hasattr(self.root, name) and name not in held)
