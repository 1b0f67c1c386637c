"""Time: a Scan whose body is one step of a neuron."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from onnx import helper, numpy_helper

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
