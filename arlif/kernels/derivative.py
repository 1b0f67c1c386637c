"""The gradient of a traced step as more nodes: reverse-mode differentiation of its graph.

Printers write both from one list of nodes. What they would compute twice is one node; gradients
that nobody wants, and sums with zero, are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from arlif.base.errors import require
from arlif.base.reached import reached
from arlif.core.graph import CURRENT, Graph, Node, Op, needed
from arlif.core.trace import Recording, Symbol, recorded
from arlif.kernels.signed_recording import SignedRecording

OF_SPIKES = "of the spikes"
"""The input that is the gradient of the spikes; no state variable's gradient is called so."""


def of_state(name: str) -> str:
    """The input that is the gradient of a state variable after the step."""
    return f"of {name}"


@dataclass(frozen=True)
class Derivative:
    """A step and its gradient.

    nodes: the step's `own`, then those of the gradient, which also read the inputs OF_SPIKES and
    of_state(...) for each of `states`; FIRE(v, 0) says where v = h - theta is at least 0.
    spikes, after: places of the step's results. of_x, of_states, of_parameters: places of the
    gradients of x, of the states before, and of `parameters`; where there is none, of a 0.
    """

    nodes: tuple[Node, ...]
    own: int
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    spikes: int
    after: tuple[int, ...]
    of_x: int
    of_states: tuple[int, ...]
    of_parameters: tuple[int, ...]

    def __post_init__(self) -> None:
        assert len(self.after) == len(self.of_states) == len(self.states)
        assert len(self.of_parameters) == len(self.parameters)
        assert all(arg < place for place, node in enumerate(self.nodes) for arg in node.args)


def real_graph(graph: Graph) -> Graph:
    """A traced step in real numbers: nothing saturates, functions are what they compute.

    Raises ArlifError where a function's value is not in the graph.
    """
    recording = Recording()

    def step(ops: object, state: tuple[Symbol, ...], x: Symbol) -> tuple[Symbol, list[Symbol]]:
        values: list[Symbol] = []
        for node in graph.nodes:
            args = [values[arg] for arg in node.args]
            match node.op:
                case Op.SATURATE:
                    value = args[0]
                case Op.LOOKUP:
                    value = values[_function(node)]
                case Op.MULTIPLY:
                    value = args[0] * args[1]
                case _:
                    value = recording.add(node.op, *args, name=node.name, number=node.number)
            values.append(value)
        return values[graph.spikes], [values[place] for place in graph.after]

    return recorded(recording, graph.states, step)


def derivative(graph: Graph, wanted: Sequence[str]) -> Derivative:
    """A step with the gradients of x, of its states and of the parameters `wanted`.

    A spike's gradient is the surrogate's; multiplying and saturating have those of real numbers
    (SATURATE passes what lies inside), a LOOKUP that of its second argument. Raises ArlifError
    where it has none.
    """
    recording = SignedRecording()
    values = _replayed(graph, recording)
    own = len(recording.nodes)
    of = _adjoints(graph, recording, values, frozenset(wanted))
    leaves = [Node(Op.INPUT, name=name) for name in (CURRENT, *graph.states)]
    leaves += [Node(Op.PARAMETER, name=name) for name in wanted]
    gradients = [of.get(leaf, recording.symbol(0)).place for leaf in leaves]
    results = [values[place].place for place in (graph.spikes, *graph.after)]
    nodes, new = _live(recording, [*results, *gradients])
    spikes, *after = (new[place] for place in results)
    of_x, *others = (new[place] for place in gradients)
    count = len(graph.states)
    return Derivative(
        nodes,
        sum(place < own for place in new),
        graph.states,
        tuple(wanted),
        spikes,
        tuple(after),
        of_x,
        tuple(others[:count]),
        tuple(others[count:]),
    )


def _function(node: Node) -> int:
    """Where the value of a LOOKUP is computed."""
    require(
        len(node.args) == 2,
        f"{node.name} is a table, which has no gradient: give LOOKUP its function's value too",
    )
    return node.args[1]


def _replayed(graph: Graph, recording: Recording) -> list[Symbol]:
    """The step's nodes in a recording, which may know simpler ones."""
    values: list[Symbol] = []
    for node in graph.nodes:
        args = [values[arg] for arg in node.args]
        if node.op is Op.FIRE:
            args = [args[0] - args[1], recording.symbol(0)]
        if node.op is Op.NUMBER:
            values.append(recording.symbol(node.number))
        else:
            values.append(recording.add(node.op, *args, name=node.name))
    return values


def _adjoints(
    graph: Graph, recording: Recording, values: Sequence[Symbol], wanted: frozenset[str]
) -> dict[Node, Symbol]:
    """Gradients of the graph's inputs and wanted parameters, from those of its results."""
    needs = _needs(graph, wanted)
    of: dict[int, Symbol] = {}

    def give(place: int, gradient: Symbol) -> None:
        if needs[place]:
            of[place] = of[place] + gradient if place in of else gradient

    give(graph.spikes, recording.add(Op.INPUT, name=OF_SPIKES))
    for name, place in zip(graph.states, graph.after, strict=True):
        give(place, recording.add(Op.INPUT, name=of_state(name)))
    zero = recording.symbol(0)
    for place in reversed(range(len(graph.nodes))):
        if place not in of:
            continue
        node, up, value = graph.nodes[place], of[place], values[place]
        args = [values[arg] for arg in node.args]
        match node.op, node.args:
            case Op.ADD, (a, b):
                give(a, up)
                give(b, up)
            case Op.SUB, (a, b):
                give(a, up)
                give(b, -up)
            case Op.NEG, (a,):
                give(a, -up)
            case ((Op.TIMES | Op.MULTIPLY), (a, b)):
                give(a, up * args[1])
                give(b, up * args[0])
            case Op.OVER, (a, b):
                share = up / args[1]
                give(a, share)
                give(b, -(share * value))
            case Op.WHERE, (_, a, b):
                give(a, recording.add(Op.WHERE, args[0], up, zero))
                give(b, recording.add(Op.WHERE, args[0], zero, up))
            case Op.SELECT, (spikes, a, b):
                difference = args[1] - args[2]
                finite = _finite(graph, spikes)
                if not (finite[a] and finite[b]):
                    difference = recording.add(Op.FINITE, difference)
                give(spikes, up * difference)
                give(a, recording.add(Op.WHERE, args[0], up, zero))
                give(b, recording.add(Op.WHERE, args[0], zero, up))
            case Op.FIRE, (h, theta):
                of_v = recording.add(Op.SURROGATE, args[0] - args[1], up)
                give(h, of_v)
                give(theta, -of_v)
            case Op.SATURATE, (a,):
                give(a, recording.add(Op.INSIDE, args[0], up))
            case Op.LOOKUP, (_, a):
                give(a, up)
            case Op.TANH, (a,):
                give(a, up * (1 - value * value))
            case Op.SIGMOID, (a,):
                give(a, up * (value * recording.add(Op.SIGMOID, -args[0])))
            case Op.EXP, (a,):
                give(a, up * value)
    return {graph.nodes[place]: gradient for place, gradient in of.items()}


def _needs(graph: Graph, wanted: frozenset[str]) -> list[bool]:
    """For every node, whether its gradient is part of one that is asked for."""
    found: list[bool] = []
    for node in graph.nodes:
        match node.op:
            case Op.INPUT:
                needs = True
            case Op.PARAMETER:
                needs = node.name in wanted
            case Op.GE:
                needs = False
            case Op.LOOKUP:
                needs = found[_function(node)]
            case _:
                needs = any(found[arg] for arg in node.args)
        found.append(needs)
    return found


def _finite(graph: Graph, spikes: int) -> list[bool]:
    """Which nodes are finite wherever the surrogate of a spike lets a gradient pass.

    There v = h - theta is finite, and so is all that it is a sum, a difference or a product of.
    """

    def finite_with(place: int) -> tuple[int, ...]:
        node = graph.nodes[place]
        if node.op is Op.LOOKUP:
            return node.args[1:]
        return node.args if node.op in LINEAR else ()

    known = reached(graph.nodes[spikes].args, finite_with)
    found: list[bool] = []
    for place, node in enumerate(graph.nodes):
        read = node.args[1:] if node.op in (Op.WHERE, Op.SELECT, Op.LOOKUP) else node.args
        carried = node.op in LINEAR or read != node.args
        finite = node.op in BOUNDED or (carried and all(found[arg] for arg in read))
        found.append(place in known or finite)
    return found


LINEAR = (Op.ADD, Op.SUB, Op.NEG, Op.TIMES, Op.MULTIPLY, Op.SATURATE)
"""Finite where, and only where, all that they take is: infinity times 0 is no number."""
BOUNDED = (Op.NUMBER, Op.PARAMETER, Op.TANH, Op.SIGMOID, Op.GE, Op.FIRE)
"""Finite whatever they take."""


def _live(recording: Recording, results: Sequence[int]) -> tuple[tuple[Node, ...], dict[int, int]]:
    """Nodes that the results need, and inputs; and their new places by the old ones."""
    nodes = recording.nodes
    live = {place for place, node in enumerate(nodes) if node.op is Op.INPUT}
    live |= {*needed(recording, results)}
    new = {old: place for place, old in enumerate(sorted(live))}
    kept = (nodes[old] for old in sorted(live))
    return tuple(
        Node(node.op, tuple(new[arg] for arg in node.args), node.name, node.number) for node in kept
    ), new
