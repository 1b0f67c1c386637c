"""Symbols that append ONNX nodes: the graph of a step that is run on them becomes ONNX."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import DTypeLike
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
)

DOMAIN = "arlif"
"""Of the functions that our files define."""

OPSET = 15
IR_VERSION = 8
"""The oldest pair with functions in a model (IR 8, ONNX 1.10; onnxruntime 1.10 of 2021), so that as
many runtimes as possible read our files. No operator we use changed its integer meaning since."""

INTEGER = np.dtype(np.int64)
"""State arithmetic: exact for every product of a 32-bit accumulator with a 16-bit factor."""


class Graph:
    """Nodes and constants under way; `prefix` keeps their names distinct from other graphs'.

    dtype: type of the Python numbers and arrays that meet symbols.
    """

    def __init__(self, prefix: str, dtype: DTypeLike) -> None:
        self.prefix, self.dtype = prefix, np.dtype(dtype)
        self.nodes: list[NodeProto] = []
        self.constants: dict[tuple[Any, ...], tuple[str, TensorProto]] = {}

    def symbol(self, name: str) -> "Symbol":
        """The value called `name` in this graph."""
        return Symbol(self, name)

    def constant(self, value: Any, dtype: DTypeLike | None = None) -> "Symbol":
        """A number or array, stored once; a symbol passes through."""
        if isinstance(value, Symbol):
            return value
        array = np.ascontiguousarray(value, dtype or self.dtype).reshape(np.shape(value))
        key = (array.dtype, array.shape, array.tobytes())
        if key not in self.constants:
            name = f"{self.prefix}constant_{len(self.constants)}"
            self.constants[key] = name, onnx.numpy_helper.from_array(array, name)
        return self.symbol(self.constants[key][0])

    def node(self, operator: str, *inputs: Any, **attributes: Any) -> "Symbol":
        """Append one node with one output; Python numbers among the inputs become constants."""
        name = f"{self.prefix}{operator.lower()}_{len(self.nodes)}"
        names = [self.constant(value).name for value in inputs]
        self.nodes.append(helper.make_node(operator, names, [name], name=name, **attributes))
        return self.symbol(name)

    def named(self, value: Any, name: str) -> "Symbol":
        """The same value under a name of our choice."""
        self.nodes.append(helper.make_node("Identity", [self.constant(value).name], [name]))
        return self.symbol(name)

    def proto(
        self, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> GraphProto:
        """The finished graph."""
        tensors = [tensor for _, tensor in self.constants.values()]
        return helper.make_graph(self.nodes, f"{self.prefix}graph", inputs, outputs, tensors)

    def function(
        self,
        name: str,
        inputs: Sequence["Symbol"],
        outputs: Sequence["Symbol"],
        attributes: Sequence[str],
    ) -> FunctionProto:
        """The finished graph as a function of domain `arlif`; constants become nodes.

        attributes: names of numbers that callers supply, known in here as symbols of that name.
        """
        head = [helper.make_node("Constant", [], [attribute]) for attribute in attributes]
        for node in head:
            node.attribute.append(
                AttributeProto(
                    name="value_float", type=AttributeProto.FLOAT, ref_attr_name=node.output[0]
                )
            )
        head += [
            helper.make_node("Constant", [], [constant], value=tensor)
            for constant, tensor in self.constants.values()
        ]
        return helper.make_function(
            DOMAIN,
            name,
            [symbol.name for symbol in inputs],
            [symbol.name for symbol in outputs],
            head + self.nodes,
            [helper.make_opsetid("", OPSET)],
            list(attributes),
        )


class Symbol:
    """A value of a graph, with the operators that arlif.core.graph.Graph.run uses."""

    __array_ufunc__ = None
    """Leaves `array + symbol` to us."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: Any) -> "Symbol":
        return self.graph.node("Add", self, other)

    def __radd__(self, other: Any) -> "Symbol":
        return self.graph.node("Add", other, self)

    def __sub__(self, other: Any) -> "Symbol":
        return self.graph.node("Sub", self, other)

    def __rsub__(self, other: Any) -> "Symbol":
        return self.graph.node("Sub", other, self)

    def __mul__(self, other: Any) -> "Symbol":
        return self.graph.node("Mul", self, other)

    def __rmul__(self, other: Any) -> "Symbol":
        return self.graph.node("Mul", other, self)

    def __truediv__(self, other: Any) -> "Symbol":
        return self.graph.node("Div", self, other)

    def __rtruediv__(self, other: Any) -> "Symbol":
        return self.graph.node("Div", other, self)

    def __neg__(self) -> "Symbol":
        return self.graph.node("Neg", self)

    def __ge__(self, other: Any) -> "Symbol":
        return self.graph.node("GreaterOrEqual", self, other)

    def __le__(self, other: Any) -> "Symbol":
        return self.graph.node("GreaterOrEqual", other, self)

    def cast(self, dtype: DTypeLike) -> "Symbol":
        """The same values in another type."""
        return self.graph.node("Cast", self, to=tensor_type(dtype))


def tensor_type(dtype: DTypeLike) -> int:
    """ONNX's number for a numpy type."""
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def value_info(name: str, dtype: DTypeLike, shape: Sequence[int | str] | None) -> ValueInfoProto:
    """Declare a value; strings are dynamic axes, None leaves even the rank open."""
    return helper.make_tensor_value_info(name, tensor_type(dtype), shape)
