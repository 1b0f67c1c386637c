"""OnnxIntegerOps and OnnxRealOps: the operations of a step as ONNX nodes."""

from typing import Any

from arlif.core.formats import FixedPointFormat
from arlif.core.tables import LookupTable
from export.onnx.symbols import Graph, Symbol


class OnnxSelection:
    """What choosing and firing mean, alike for integers and reals."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def where(self, condition: Any, a: Any, b: Any) -> Symbol:
        return self.graph.node("Where", condition, a, b)

    def fire(self, h: Any, theta: Any) -> Symbol:
        return self.graph.node("GreaterOrEqual", h, theta)

    def select(self, spikes: Any, fired: Any, silent: Any) -> Symbol:
        return self.where(spikes, fired, silent)


class OnnxIntegerOps(OnnxSelection):
    """The integer specification: int64 symbols; ONNX's integer Div rounds toward zero."""

    def __init__(self, graph: Graph, state_format: FixedPointFormat, factor_bits: int) -> None:
        super().__init__(graph)
        self.state_format, self.factor_bits = state_format, factor_bits

    def multiply(self, value: Any, factor: Any) -> Symbol:
        product = self.graph.node("Mul", value, factor)
        return self.graph.node("Div", product, 1 << self.factor_bits)

    def saturate(self, value: Any) -> Symbol:
        return self.graph.node("Clip", value, self.state_format.low, self.state_format.high)

    def lookup(self, table: LookupTable, x: Any) -> Symbol:
        # GatherND: runtimes copy the lone elements that Gather would fetch twice as slowly
        offset = self.graph.node("Clip", x, table.low, table.high) - table.low
        cells = self.graph.node("Div", offset, 1 << table.shift)
        return self.graph.node("GatherND", table.values, self.graph.node("Unsqueeze", cells, [-1]))


class OnnxRealOps(OnnxSelection):
    """Real numbers: float symbols. Graphs of real steps hold the value of a function themselves."""

    def multiply(self, value: Any, factor: Any) -> Symbol:
        return self.graph.node("Mul", value, factor)

    def saturate(self, value: Any) -> Any:
        return value

    def tanh(self, x: Any) -> Symbol:
        return self.graph.node("Tanh", x)

    def sigmoid(self, x: Any) -> Symbol:
        return self.graph.node("Sigmoid", x)

    def exp(self, x: Any) -> Symbol:
        return self.graph.node("Exp", x)
