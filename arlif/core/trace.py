"""Records a neuron's step: run once on symbols, it leaves a graph.

Equal nodes are made once and constants are folded, so what a reader counts, prints or
differentiates is what the equation needs, and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NoReturn

from arlif.base.errors import ArlifError, require
from arlif.core.graph import APPLY, CURRENT, Graph, Node, Op, pruned


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

    def __gt__(self, other: Any) -> NoReturn:
        raise TypeError("a step compares with >= or <=, not with > or <")

    __lt__ = __gt__

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
    except ArlifError:
        raise
    except (TypeError, AttributeError, ValueError, NotImplementedError) as error:
        raise ArlifError(
            f"the step cannot be traced: {str(error) or 'it has none'}; write it through ops, and "
            "let it return (spikes, state)"
        ) from error
    return pruned(
        Graph(
            tuple(recording.nodes),
            results[0].place,
            tuple(states),
            tuple(result.place for result in results[1:]),
        )
    )
