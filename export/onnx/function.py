"""Real-valued neurons as ONNX functions whose body is the graph of their step."""

from collections.abc import Iterable
from dataclasses import fields
from itertools import starmap
from typing import Any

import numpy as np
from onnx import FunctionProto, helper

from arlif.core import real_neurons
from arlif.core.integer_neurons import integer_name
from arlif.core.neuron import Neuron, Per, traced
from export.onnx.interpreters import OnnxRealOps
from export.onnx.symbols import DOMAIN, Graph, Symbol


def neuron_function(neuron: Neuron, others: Iterable[FunctionProto]) -> FunctionProto:
    """`arlif::ARLIF` and the like: (state variables, arrays, x) -> (spikes, new state variables).

    Its body is the graph of the neuron's step. Constants that are one per layer are attributes,
    the others are inputs. others: functions of the same file, of which an equal one is returned.
    """
    named = {function.name: function for function in others}
    title, number = _title(neuron), 1
    while True:
        name = title if number == 1 else f"{title}_{number}"
        function = _function(neuron, name)
        if named.get(name, function) == function:
            return function
        number += 1


def _function(neuron: Neuron, name: str) -> FunctionProto:
    graph = Graph("step/", np.float32)
    inputs = [*neuron.variables, *_arrays(neuron), "x"]
    constants = {constant: graph.symbol(constant) for constant in neuron.parameters()}
    start = [graph.symbol(variable) for variable in neuron.variables]
    ops, x = OnnxRealOps(graph), graph.symbol("x")
    step = traced(neuron)
    step.require_states()
    spikes, state = step.run(ops, start, x, constants, {})
    return graph.function(
        name, [graph.symbol(value) for value in inputs], (spikes, *state), [*_numbers(neuron)]
    )


def call_neuron(
    graph: Graph, function: str, neuron: Neuron, state: Any, x: Symbol
) -> tuple[Symbol, Any]:
    """Append a call of the neuron's function to a graph: (float spikes, new state)."""
    arrays = [graph.constant(value) for value in _arrays(neuron).values()]
    inputs = [symbol.name for symbol in (*state, *arrays, x)]
    place = f"called_{len(graph.nodes)}"
    outputs = [f"{graph.prefix}{name}_{place}" for name in ("spikes", *neuron.variables)]
    node = helper.make_node(function, inputs, outputs, domain=DOMAIN)
    node.attribute.extend(starmap(helper.make_attribute, _numbers(neuron).items()))
    graph.nodes.append(node)
    spikes, *after = map(graph.symbol, outputs)
    return spikes.cast(graph.dtype), neuron.state_type(*after)


def _numbers(neuron: Neuron) -> dict[str, float]:
    """The constants that are one number for the layer."""
    return {
        name: float(np.asarray(value).item())
        for name, value in neuron.constants().items()
        if neuron.parameters()[name].per is Per.LAYER
    }


def _arrays(neuron: Neuron) -> dict[str, Any]:
    """The constants that may differ between channels or neurons."""
    numbers = _numbers(neuron)
    return {name: value for name, value in neuron.constants().items() if name not in numbers}


def _title(neuron: Neuron) -> str:
    """ARLIF, LIFSoft, LIFHard, or the name of a user's class.

    A flag that is not as its class has it shows: ARLIF_no_memory, ARLIF_strict.
    """
    usual = {f.name: f.default for f in fields(neuron)}
    unusual = [
        f"_{name}" if flag else f"_no_{name}"
        for name, flag in neuron.flags().items()
        if isinstance(flag, bool) and flag != usual[name]
    ]
    title = integer_name(neuron)
    if type(neuron).__module__ == real_neurons.__name__:
        title = title.replace("Arlif", "ARLIF").replace("Lif", "LIF")
    return title + "".join(unusual)
