"""Real-valued neurons as ONNX functions whose body is the trace of their step."""

from dataclasses import fields, replace
from itertools import starmap
from typing import Any

import numpy as np
from onnx import FunctionProto, helper

from arlif.core.neuron import Neuron
from export.onnx.interpreters import OnnxRealOps
from export.onnx.symbols import DOMAIN, Graph, Symbol


def neuron_function(neuron: Neuron) -> FunctionProto:
    """`arlif::ARLIF` and the like: (state variables, x) -> (spikes, new state variables).

    Its body is the trace of the neuron's step; its attributes are the neuron's constants.
    """
    graph = Graph("", np.float32)
    constants = {name: graph.symbol(name) for name in _constants(neuron)}
    start = neuron.state_type(*map(graph.symbol, neuron.variables))
    x = graph.symbol("x")
    spikes, state = replace(neuron, **constants).step(OnnxRealOps(graph), start, x)
    return graph.function(_name(neuron), (*start, x), (spikes, *state), attributes=tuple(constants))


def call_neuron(
    graph: Graph, function: str, neuron: Neuron, state: Any, x: Symbol
) -> tuple[Symbol, Any]:
    """Append a call of the neuron's function to a graph: (float spikes, new state)."""
    inputs = [symbol.name for symbol in (*state, x)]
    outputs = [f"{name}_called" for name in ("spikes", *neuron.variables)]
    outputs = [graph.prefix + name for name in outputs]
    node = helper.make_node(function, inputs, outputs, domain=DOMAIN)
    node.attribute.extend(starmap(helper.make_attribute, _constants(neuron).items()))
    graph.nodes.append(node)
    spikes, *after = map(graph.symbol, outputs)
    return spikes.cast(graph.dtype), neuron.state_type(*after)


def _constants(neuron: Neuron) -> dict[str, float]:
    return {
        field.name: getattr(neuron, field.name)
        for field in fields(neuron)
        if not isinstance(getattr(neuron, field.name), bool)
    }


def _name(neuron: Neuron) -> str:
    """ARLIF, LIFSoft, LIFHard; a structural flag that is off shows: ARLIF_no_memory."""
    off = [f"_no_{f.name}" for f in fields(neuron) if getattr(neuron, f.name) is False]
    kind = type(neuron).__name__.removeprefix("Real")
    return kind.replace("Arlif", "ARLIF").replace("Lif", "LIF") + "".join(off)
