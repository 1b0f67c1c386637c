"""A neuron's step as a graph of operations, which every backend reads."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from keyword import iskeyword
from typing import Any, Protocol

from arlif.base.errors import ArlifError, require
from arlif.base.reached import reached


class Op(Enum):
    """What a node does with its arguments."""

    INPUT = "input"
    """x, or a state variable, by name."""
    PARAMETER = "parameter"
    """A constant of the neuron, by name; it may learn."""
    NUMBER = "number"
    ADD = "add"
    SUB = "sub"
    NEG = "neg"
    GE = "ge"
    MULTIPLY = "multiply"
    SATURATE = "saturate"
    WHERE = "where"
    FIRE = "fire"
    SELECT = "select"
    LOOKUP = "lookup"
    """A function of its first argument, by name; reals: the second argument is its value."""
    TIMES = "times"
    OVER = "over"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    EXP = "exp"
    SURROGATE = "surrogate"
    """Gradients only: of v from b, that of [v >= 0]; 0 outside the rectangle, whatever b is."""
    INSIDE = "inside"
    """Gradients only: b where a is inside the state format, else 0."""
    FINITE = "finite"
    """Gradients only: a where it is finite, else 0."""


ARITY = {
    **dict.fromkeys((Op.INPUT, Op.PARAMETER, Op.NUMBER), (0,)),
    **dict.fromkeys((Op.NEG, Op.SATURATE, Op.TANH, Op.SIGMOID, Op.EXP), (1,)),
    **dict.fromkeys((Op.ADD, Op.SUB, Op.GE, Op.MULTIPLY, Op.FIRE, Op.TIMES, Op.OVER), (2,)),
    **dict.fromkeys((Op.WHERE, Op.SELECT), (3,)),
    Op.LOOKUP: (1, 2),
}
"""How many arguments an operation of a step takes."""
NAMED = (Op.INPUT, Op.PARAMETER, Op.LOOKUP)
FUNCTIONS = (Op.TIMES, Op.OVER, Op.TANH, Op.SIGMOID, Op.EXP)
"""What only real numbers know; integers read tables in their place."""
CURRENT = "x"
"""The input that is the current; every other input is a state variable."""
SPIKES = "spikes"
"""What files and traces call a neuron's spikes, beside its state variables."""
MOST_NODES = 1000
"""A step has at most so many operations: any file is read and checked within seconds."""


@dataclass(frozen=True)
class Node:
    """One operation on nodes before it, given by their places in the graph.

    name: of an input, a parameter or a function. number: of a NUMBER.
    """

    op: Op
    args: tuple[int, ...] = ()
    name: str = ""
    number: float = 0.0


@dataclass(frozen=True)
class Graph:
    """The step of a neuron: from x and the state to spikes and the state after.

    nodes: each after its arguments. states: names of the state variables; after: their new values.
    Raises ArlifError where the nodes are no step.
    """

    nodes: tuple[Node, ...]
    spikes: int
    states: tuple[str, ...]
    after: tuple[int, ...]

    def __post_init__(self) -> None:
        known = {CURRENT, *self.states}
        require(
            len(known) == 1 + len(self.states) and all(map(is_variable, self.states)),
            "a neuron's state variables have different names, words of Python and none "
            f"{CURRENT!r} or {SPIKES!r}; got {', '.join(map(repr, self.states))}",
        )
        require(
            len(self.nodes) <= MOST_NODES,
            f"a neuron's step has at most {MOST_NODES} operations, not {len(self.nodes)}",
        )
        for place, node in enumerate(self.nodes):
            proper = (
                len(node.args) in ARITY.get(node.op, ())
                and all(0 <= arg < place for arg in node.args)
                and (node.op is not Op.INPUT or node.name in known)
                and bool(node.name) == (node.op in NAMED)
            )
            if not proper:
                raise ArlifError(f"node {place} of a neuron's step is {node}, which is none")
        outputs = (self.spikes, *self.after)
        require(
            len(self.after) == len(self.states) and all(0 <= n < len(self.nodes) for n in outputs),
            f"a step of the states {self.states} ends in nodes {outputs} of {len(self.nodes)}",
        )
        if self.fires:
            rule = "a step returns the spikes that ops.fire gave, first, or 0 if it never fires"
            self._require(self.spikes, Op.FIRE, rule)
        for node in self.nodes:
            if node.op is Op.SELECT:
                self._require(node.args[0], Op.FIRE, "ops.select chooses by spikes of ops.fire")
            if node.op is Op.WHERE:
                self._require(node.args[0], Op.GE, "ops.where chooses by a comparison, a >= b")

    @property
    def fires(self) -> bool:
        """Whether its spikes are not the number 0."""
        node = self.nodes[self.spikes]
        return node.op is not Op.NUMBER or node.number != 0

    def _require(self, place: int, op: Op, rule: str) -> None:
        found = self.nodes[place].op
        require(found is op, f"{rule}; this is the result of {found.value!r}")

    def parameters(self) -> tuple[str, ...]:
        """Names of the neuron's constants that the step reads, in the order of the nodes."""
        return tuple(node.name for node in self.nodes if node.op is Op.PARAMETER)

    def require_states(self) -> None:
        """Raise ArlifError where a state variable is a constant, which has no shape of its own."""
        behind = dependencies(self)
        for name, place in zip(self.states, self.after, strict=True):
            require(
                bool(behind[place]),
                f"{name} is the same after every step; it is no state variable but a constant",
            )

    def run(
        self,
        ops: Any,
        state: Sequence[Any],
        x: Any,
        parameters: Mapping[str, Any],
        functions: Mapping[str, Any],
    ) -> tuple[Any, tuple[Any, ...]]:
        """Spikes and new state, every operation done by `ops`.

        functions: what `ops.lookup` takes, by name, where the graph does not hold its value.
        """
        inputs = dict(zip(self.states, state, strict=True)) | {CURRENT: x}
        values = replayed(self.nodes, ops, inputs, parameters, functions)
        spikes = values[self.spikes] if self.fires else ops.fire(x - x, 1)
        return spikes, tuple(values[place] for place in self.after)


def is_variable(name: str) -> bool:
    """Whether a state variable may have this name: it is a field, a file, and beside `spikes`."""
    word = name.isidentifier() and not iskeyword(name) and not name.startswith("_")
    return word and name not in (CURRENT, SPIKES)


APPLY: dict[Op, Callable[..., Any]] = {
    Op.ADD: lambda ops, a, b: a + b,
    Op.SUB: lambda ops, a, b: a - b,
    Op.NEG: lambda ops, a: -a,
    Op.GE: lambda ops, a, b: a >= b,
    Op.MULTIPLY: lambda ops, a, b: ops.multiply(a, b),
    Op.SATURATE: lambda ops, a: ops.saturate(a),
    Op.WHERE: lambda ops, c, a, b: ops.where(c, a, b),
    Op.FIRE: lambda ops, h, theta: ops.fire(h, theta),
    Op.SELECT: lambda ops, s, a, b: ops.select(s, a, b),
    Op.TIMES: lambda ops, a, b: a * b,
    Op.OVER: lambda ops, a, b: a / b,
    Op.TANH: lambda ops, a: ops.tanh(a),
    Op.SIGMOID: lambda ops, a: ops.sigmoid(a),
    Op.EXP: lambda ops, a: ops.exp(a),
}
"""How `ops` does an operation."""


def replayed(
    nodes: Sequence[Node],
    ops: Any,
    inputs: Mapping[str, Any],
    parameters: Mapping[str, Any],
    functions: Mapping[str, Any],
) -> list[Any]:
    """The value of every node, computed by `ops`; see Graph.run."""
    values: list[Any] = []
    for node in nodes:
        given = [values[arg] for arg in node.args]
        match node.op:
            case Op.INPUT:
                value = inputs[node.name]
            case Op.PARAMETER:
                value = parameters[node.name]
            case Op.NUMBER:
                value = int(node.number) if node.number.is_integer() else node.number
            case Op.LOOKUP if len(given) == 2:
                value = given[1]
            case Op.LOOKUP:
                value = ops.lookup(functions[node.name], given[0])
            case _:
                value = APPLY[node.op](ops, *given)
        values.append(value)
    return values


def pruned(graph: Graph) -> Graph:
    """The graph without nodes that nothing reads; its inputs stay."""
    outputs = (graph.spikes, *graph.after)
    live = set(needed(graph, outputs))
    live |= {place for place, node in enumerate(graph.nodes) if node.op is Op.INPUT}
    new = {old: place for place, old in enumerate(sorted(live))}
    nodes = tuple(
        Node(node.op, tuple(new[arg] for arg in node.args), node.name, node.number)
        for node in (graph.nodes[old] for old in sorted(live))
    )
    return Graph(nodes, new[graph.spikes], graph.states, tuple(new[n] for n in graph.after))


class Nodes(Protocol):
    """What has nodes, each after its arguments: a step, or more."""

    @property
    def nodes(self) -> Sequence[Node]: ...


def dependencies(graph: Nodes) -> list[frozenset[str]]:
    """For every node, the inputs that it depends on, by name."""
    found: list[frozenset[str]] = []
    for node in graph.nodes:
        own = {node.name} if node.op is Op.INPUT else set()
        found.append(frozenset(own.union(*(found[arg] for arg in node.args))))
    return found


def needed(graph: Nodes, places: Iterable[int], stop: Container[int] = frozenset()) -> list[int]:
    """Nodes that some others need, those included, in order; nothing behind `stop`."""
    return sorted(reached(places, lambda n: () if n in stop else graph.nodes[n].args))
