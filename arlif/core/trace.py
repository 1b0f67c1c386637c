"""A neuron's step as a graph of operations: one recording, which every backend reads.

`record` runs a step once on symbols. Equal nodes are made once and constants are folded, so what a
reader counts, prints or differentiates is what the equation needs, and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from keyword import iskeyword
from numbers import Real
from typing import Any

from arlif.base.errors import ArlifError, require


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
            f"a neuron's state variables have different names, words of Python, and none is "
            f"{CURRENT!r}; got {', '.join(map(repr, self.states)) or 'none'}",
        )
        require(
            len(self.nodes) <= MOST_NODES,
            f"a neuron's step has at most {MOST_NODES} operations, not {len(self.nodes)}",
        )
        for place, node in enumerate(self.nodes):
            require(
                len(node.args) in ARITY.get(node.op, ())
                and all(0 <= arg < place for arg in node.args)
                and (node.op is not Op.INPUT or node.name in known)
                and bool(node.name) == (node.op in NAMED),
                f"node {place} of a neuron's step is {node}, which is none",
            )
        outputs = (self.spikes, *self.after)
        require(
            len(self.after) == len(self.states) and all(0 <= n < len(self.nodes) for n in outputs),
            f"a step of the states {self.states} ends in nodes {outputs} of {len(self.nodes)}",
        )

    def parameters(self) -> tuple[str, ...]:
        """Names of the neuron's constants that the step reads, in the order of the nodes."""
        return tuple(node.name for node in self.nodes if node.op is Op.PARAMETER)

    def dependencies(self) -> list[frozenset[str]]:
        """For every node, the inputs (x and states) that it depends on, by name."""
        found: list[frozenset[str]] = []
        for node in self.nodes:
            own = {node.name} if node.op is Op.INPUT else set()
            found.append(frozenset(own.union(*(found[arg] for arg in node.args))))
        return found

    def run(
        self,
        ops: Any,
        state: Sequence[Any],
        x: Any,
        parameters: Mapping[str, Any],
        functions: Mapping[str, Any],
    ) -> tuple[Any, tuple[Any, ...]]:
        """Spikes and new state, every operation done by `ops`.

        functions: what `ops.lookup` takes, by name.
        """
        inputs = dict(zip(self.states, state, strict=True)) | {CURRENT: x}
        values: list[Any] = []
        for node in self.nodes:
            given = [values[arg] for arg in node.args]
            match node.op:
                case Op.INPUT:
                    value = inputs[node.name]
                case Op.PARAMETER:
                    value = parameters[node.name]
                case Op.NUMBER:
                    value = int(node.number) if node.number.is_integer() else node.number
                case Op.LOOKUP:
                    value = ops.lookup(functions[node.name], given[0])
                case _:
                    value = APPLY[node.op](ops, *given)
            values.append(value)
        return values[self.spikes], tuple(values[place] for place in self.after)


def is_variable(name: str) -> bool:
    """Whether a state variable may have this name: it is a field of a named tuple, and a file."""
    return name.isidentifier() and not iskeyword(name) and not name.startswith("_")


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


@dataclass(eq=False)
class Recording:
    """Nodes under way; every one is made once."""

    nodes: list[Node] = field(default_factory=list)
    places: dict[Node, int] = field(default_factory=dict)

    def add(self, op: Op, *args: Any, name: str = "", number: float = 0.0) -> "Symbol":
        """A node, or the one that is equal to it; Python numbers among the arguments are nodes."""
        symbols = [self.symbol(arg) for arg in args]
        simpler = self._simpler(op, symbols)
        if simpler is not None:
            return simpler
        return self._place(Node(op, tuple(symbol.place for symbol in symbols), name, number))

    def parameter(self, name: str) -> "Symbol":
        """A constant of the neuron."""
        return self._place(Node(Op.PARAMETER, name=name))

    def symbol(self, value: Any) -> "Symbol":
        """A symbol of this recording as it is; a number as a node."""
        if isinstance(value, Symbol) and value.recording is self:
            return value
        require(
            isinstance(value, Real) and not isinstance(value, bool),
            f"a step computes with x, its state, its constants and numbers, not with "
            f"{type(value).__name__} {value!r}",
        )
        return self._place(Node(Op.NUMBER, number=float(value)))

    def _place(self, node: Node) -> "Symbol":
        if node not in self.places:
            self.places[node] = len(self.nodes)
            self.nodes.append(node)
        return Symbol(self, self.places[node])

    def _simpler(self, op: Op, args: "list[Symbol]") -> "Symbol | None":
        """What is known to equal an operation without doing it."""
        numbers = [self.nodes[arg.place].number if arg.is_number else None for arg in args]
        match op, numbers:
            case ((Op.ADD | Op.SUB | Op.NEG | Op.TIMES), _) if None not in numbers:
                return self.symbol(APPLY[op](None, *numbers))
            case Op.ADD, [0.0, None]:
                return args[1]
            case ((Op.ADD | Op.SUB), [None, 0.0]):
                return args[0]
            case Op.SUB, [0.0, None]:
                return self.add(Op.NEG, args[1])
            case Op.NEG, [None] if self.nodes[args[0].place].op is Op.NEG:
                return Symbol(self, self.nodes[args[0].place].args[0])
            case ((Op.TIMES | Op.MULTIPLY), [1.0, None]):
                return args[1]
            case ((Op.TIMES | Op.MULTIPLY | Op.OVER), [None, 1.0]):
                return args[0]
            case Op.MULTIPLY, ([0.0, _] | [_, 0.0]):
                return self.symbol(0)
            case ((Op.WHERE | Op.SELECT), _) if args[1].place == args[2].place:
                return args[1]
            case Op.SATURATE, _ if self.nodes[args[0].place].op is Op.SATURATE:
                return args[0]
        return None


class Symbol:
    """A value of a step under way; it appends what is done with it, and cannot be branched on."""

    __array_ufunc__ = None
    """Leaves `array + symbol` to us."""

    def __init__(self, recording: Recording, place: int) -> None:
        self.recording, self.place = recording, place

    @property
    def is_number(self) -> bool:
        """Whether it is a number that is known."""
        return self.recording.nodes[self.place].op is Op.NUMBER

    def __add__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.ADD, self, other)

    def __radd__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.ADD, other, self)

    def __sub__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.SUB, self, other)

    def __rsub__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.SUB, other, self)

    def __mul__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.TIMES, self, other)

    def __rmul__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.TIMES, other, self)

    def __truediv__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.OVER, self, other)

    def __rtruediv__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.OVER, other, self)

    def __neg__(self) -> "Symbol":
        return self.recording.add(Op.NEG, self)

    def __ge__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.GE, self, other)

    def __le__(self, other: Any) -> "Symbol":
        return self.recording.add(Op.GE, other, self)

    def __bool__(self) -> bool:
        raise TypeError("a step may not branch on values; use ops.where or ops.select")


class RecordingOps:
    """The operations of a step on symbols."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def multiply(self, value: Any, factor: Any) -> Symbol:
        return self.recording.add(Op.MULTIPLY, value, factor)

    def saturate(self, value: Any) -> Symbol:
        return self.recording.add(Op.SATURATE, value)

    def where(self, condition: Any, a: Any, b: Any) -> Symbol:
        return self.recording.add(Op.WHERE, condition, a, b)

    def fire(self, h: Any, theta: Any) -> Symbol:
        return self.recording.add(Op.FIRE, h, theta)

    def select(self, spikes: Any, fired: Any, silent: Any) -> Symbol:
        return self.recording.add(Op.SELECT, spikes, fired, silent)

    def lookup(self, table: Any, x: Any) -> Symbol:
        name = getattr(table, "__name__", "")
        require(
            name.isidentifier(),
            f"ops.lookup takes a method of the neuron, such as self.gate, not {table!r}: its name "
            "is the table's",
        )
        argument = self.recording.symbol(x)
        return self.recording.add(Op.LOOKUP, argument, table(self, argument), name=name)

    def tanh(self, x: Any) -> Symbol:
        return self.recording.add(Op.TANH, x)

    def sigmoid(self, x: Any) -> Symbol:
        return self.recording.add(Op.SIGMOID, x)

    def exp(self, x: Any) -> Symbol:
        return self.recording.add(Op.EXP, x)


Step = Callable[[RecordingOps, tuple[Symbol, ...], Symbol], tuple[Any, Sequence[Any]]]
"""(ops, state, x) -> (spikes, state after), the constants being symbols already."""


def recorded(recording: Recording, states: Sequence[str], step: Step) -> Graph:
    """The graph that a step leaves in a recording. Raises ArlifError where it is no step."""
    inputs = [recording.add(Op.INPUT, name=name) for name in (CURRENT, *states)]
    try:
        spikes, after = step(RecordingOps(recording), tuple(inputs[1:]), inputs[0])
        results = [recording.symbol(value) for value in (spikes, *after)]
    except (TypeError, AttributeError, ValueError, NotImplementedError) as error:
        raise ArlifError(
            f"the step cannot be traced: {error or 'it has none'}; write it through ops, and let "
            "it return (spikes, state)"
        ) from error
    return pruned(
        Graph(
            tuple(recording.nodes),
            results[0].place,
            tuple(states),
            tuple(result.place for result in results[1:]),
        )
    )


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


def needed(graph: Graph, places: Sequence[int], stop: frozenset[int] = frozenset()) -> list[int]:
    """Nodes that some others need, those included, in order; nothing behind `stop`."""
    return sorted(set(_walk(graph, places, stop)))


def _walk(graph: Graph, places: Sequence[int], stop: frozenset[int]) -> Iterator[int]:
    seen: set[int] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            yield place
            if place not in stop:
                waiting += graph.nodes[place].args
