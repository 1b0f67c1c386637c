"""Time: a Scan, whose body is one step of a neuron or of a loop."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from onnx import ValueInfoProto, helper, numpy_helper

from arlif.core.maps import Shape
from export.onnx.symbols import Graph, Symbol, value_info

Step = Callable[[Graph, Any, Symbol], tuple[Symbol, Any]]
"""(body graph, state, current) -> (spikes, new state), the arguments and results being symbols."""


def scan_step(
    graph: Graph,
    name: str,
    x: Symbol,
    shape: Shape,
    state_type: Any,
    step: Step,
    spikes_dtype: DTypeLike,
    record: bool,
) -> dict[str, Symbol]:
    """Run a step over x [T, N, *shape] from a state of zeros.

    Returns <name>.spikes, [T, N, *shape], and with `record` <name>.<variable> for every variable.
    """
    variables = state_type._fields
    body = Graph(f"{name}/step/", graph.dtype)
    start = [f"{name}/step/{variable}" for variable in variables]
    current = f"{name}/step/x"
    spikes, state = step(body, state_type(*map(body.symbol, start)), body.symbol(current))
    results = [body.named(value, f"{old}_next") for value, old in zip(state, start, strict=True)]
    traces = [body.named(spikes, f"{name}/step/spikes")]
    if record:
        traces += [body.named(value, f"{value.name}_trace") for value in results]
    axes: tuple[int | str, ...] = ("N", *shape)
    proto = body.proto(
        [value_info(name, graph.dtype, axes) for name in (*start, current)],
        [value_info(value.name, graph.dtype, axes) for value in results]
        + [value_info(traces[0].name, spikes_dtype, axes)]
        + [value_info(value.name, graph.dtype, axes) for value in traces[1:]],
    )
    zeros = _zeros(graph, x)
    recorded = [f"{name}.spikes", *(f"{name}.{v}" for v in variables if record)]
    final = [f"{name}/{variable}_final" for variable in variables]
    graph.nodes.append(
        helper.make_node(
            "Scan",
            [zeros.name] * len(variables) + [x.name],
            final + recorded,
            name=name,
            body=proto,
            num_scan_inputs=1,
        )
    )
    return {value: graph.symbol(value) for value in recorded}


def _zeros(graph: Graph, x: Symbol) -> Symbol:
    """Zeros of the shape of one time step of x [T, N, ...]."""
    shape = graph.node("Shape", graph.node("Gather", x, graph.constant(0, np.int64), axis=0))
    return graph.node(
        "ConstantOfShape", shape, value=numpy_helper.from_array(np.zeros(1, graph.dtype))
    )


Axes = tuple[int | str, ...]


@dataclass(eq=False)
class Body:
    """The body of a loop's Scan under way: what one time step takes and what it leaves."""

    graph: Graph
    inputs: list[ValueInfoProto] = field(default_factory=list)
    outputs: list[ValueInfoProto] = field(default_factory=list)

    def take(self, name: str, axes: Axes, dtype: DTypeLike) -> Symbol:
        """A value from the step before, or of what comes from outside at this step."""
        symbol = self.graph.symbol(f"{self.graph.prefix}{name}")
        self.inputs.append(value_info(symbol.name, dtype, axes))
        return symbol

    def leave(self, value: Symbol, name: str, axes: Axes, dtype: DTypeLike) -> Symbol:
        """A value for the next step, or for whoever reads all steps."""
        named = self.graph.named(value, f"{self.graph.prefix}{name}_next")
        self.outputs.append(value_info(named.name, dtype, axes))
        return named

    def waiting(self, now: Symbol, past: Symbol, longest: int) -> Symbol:
        """What waits for later steps, [longest, N, ...], the latest first."""
        index = [self.graph.constant([place], np.int64) for place in (0, longest - 1)]
        first = self.graph.node("Unsqueeze", now, index[0])
        return self.graph.node("Concat", first, self.graph.node("Slice", past, *index), axis=0)

    def run(
        self,
        graph: Graph,
        name: str,
        start: Sequence[Symbol],
        outer: Sequence[Symbol],
        recorded: Iterable[str],
    ) -> None:
        """Append the Scan to a graph.

        start: what the first step takes from the step before. outer: [T, ...], whose steps come
        from outside. recorded: names of what is read of all steps.
        """
        finals = [f"{self.graph.prefix}final_{index}" for index in range(len(start))]
        graph.nodes.append(
            helper.make_node(
                "Scan",
                [symbol.name for symbol in (*start, *outer)],
                [*finals, *recorded],
                name=name,
                body=self.graph.proto(self.inputs, self.outputs),
                num_scan_inputs=len(outer),
            )
        )


def zeros(
    graph: Graph, batch: Symbol, lead: tuple[int, ...], shape: tuple[int, ...], dtype: Any
) -> Symbol:
    """Zeros [*lead, N, *shape]."""
    parts = [graph.constant(list(lead), np.int64)] if lead else []
    whole = graph.node("Concat", *parts, batch, graph.constant(list(shape), np.int64), axis=0)
    zero = helper.make_tensor("zero", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [1], [0])
    return graph.node("ConstantOfShape", whole, value=zero)
