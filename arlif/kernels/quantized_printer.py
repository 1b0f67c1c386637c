"""Neurons of quantization-aware training as C++, printed from their integer forms.

Forward, the step is that of integers; backward, rounding is the identity, saturation a clamp, and a
table the function that it samples. States are raw numbers, factors real ones, all of them exact.
"""

from collections.abc import Sequence
from math import inf
from typing import Any

from arlif.core.graph import Graph, Op
from arlif.core.integer_form import IntegerForm
from arlif.core.trace import Recording, RecordingOps, Symbol, recorded
from arlif.core.units import Unit
from arlif.kernels.derivative import derivative
from arlif.kernels.kernel import Kernel
from arlif.kernels.real_printer import structure
from arlif.kernels.real_terms import Lowering
from arlif.kernels.terms import Kind

ONE, INVERSE = "raw 1.0", "1 / raw 1.0"
"""Names of a constant of the graph, how many raw steps 1.0 has; no constant of a form has them."""
READING = 8.0
"""What reading a table costs, in additions."""


def inside_functions(name: str) -> str:
    """What a constant is called, as a real number, in functions that tables sample."""
    return f"{name} of functions"


class _Functions(RecordingOps):
    """What computes a function in real numbers."""

    def multiply(self, value: Any, factor: Any) -> Symbol:
        return self.recording.symbol(value) * factor

    def saturate(self, value: Any) -> Symbol:
        return self.recording.symbol(value)


def quantized_graph(form: IntegerForm) -> Graph:
    """A step in integers, whose LOOKUPs also know the function, in units of the table's values."""
    recording, graph = Recording(), form.graph

    def step(
        ops: RecordingOps, state: tuple[Symbol, ...], x: Symbol
    ) -> tuple[Symbol, list[Symbol]]:
        inputs, values = dict(zip(graph.states, state, strict=True)) | {"x": x}, list[Symbol]()
        for node in graph.nodes:
            args = [values[arg] for arg in node.args]
            match node.op:
                case Op.INPUT:
                    values.append(inputs[node.name])
                case Op.NUMBER:
                    values.append(recording.symbol(node.number))
                case Op.LOOKUP:
                    value = _function(form, node.name, args[0])
                    values.append(recording.add(Op.LOOKUP, args[0], value, name=node.name))
                case _:
                    values.append(recording.add(node.op, *args, name=node.name))
        return values[graph.spikes], [values[place] for place in graph.after]

    return recorded(recording, graph.states, step)


def _function(form: IntegerForm, name: str, x: Symbol) -> Symbol:
    """A table's function of a raw number, as its table counts."""
    table, recording = form.tables[name], x.recording
    parameters = {n: recording.parameter(inside_functions(n)) for n in table.function.parameters()}
    value = table.function(_Functions(recording), parameters, x * recording.parameter(INVERSE))
    return value * recording.parameter(ONE) if table.unit is Unit.STATE else value


def tables_of(graph: Graph) -> tuple[str, ...]:
    """The tables in the order that the kernel numbers them."""
    return tuple(dict.fromkeys(node.name for node in graph.nodes if node.op is Op.LOOKUP))


def printed(kernels: Sequence[Kernel]) -> str:
    """The header that real.cpp includes. Raises ArlifError where a step has no gradient."""
    head = f"""constexpr int neurons = {len(kernels)};
namespace quantized {{
template <class Number, int number> struct Neuron;
"""
    tail = """} // namespace quantized
template <class Number, int number> using Neuron = quantized::Neuron<Number, number>;
"""
    return "\n".join((head, *(_structure(*numbered) for numbered in enumerate(kernels)), tail))


def _structure(number: int, kernel: Kernel) -> str:
    of = derivative(kernel.graph, kernel.learned)
    lowering = _Lowering(of, kernel.spread, tables_of(kernel.graph))
    return structure(number, kernel, lowering, "integers")


class _Lowering(Lowering):
    """A step in integers and its gradient as terms."""

    def __init__(self, of: Any, spread: Sequence[str], tables: Sequence[str]) -> None:
        self.tables = tables
        super().__init__(of, spread)

    def __post_init__(self) -> None:
        super().__post_init__()
        results = (self.of[n] for n in (self.derivative.spikes, *self.derivative.after))
        step = {*self.terms.needed(results, {})}
        for place, term in enumerate(self.terms.all):
            if term.kind is not Kind.NUMBER and 0 < term.price < inf and place not in step:
                self.late.add(place)

    def _term(self, place: int) -> int:
        node, terms = self.nodes[place], self.terms
        args = [self.of[arg] for arg in node.args]
        match node.op:
            case Op.MULTIPLY:
                return terms.add("integers.product({0}, {1})", *map(terms.vector, args), price=3)
            case Op.SATURATE:
                return terms.add("integers.saturate({0})", terms.vector(args[0]), price=2)
            case Op.INSIDE:
                return terms.add("integers.inside({0}, {1})", *map(terms.vector, args), price=3)
            case Op.LOOKUP:
                number = self.tables.index(node.name)
                argument = terms.vector(args[0])
                return terms.add(f"integers.read({number}, {{0}})", argument, price=READING)
            case Op.FINITE:
                return args[0]
        return super()._term(place)
