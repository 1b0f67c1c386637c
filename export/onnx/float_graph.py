"""write_onnx_float: a torch network as a float ONNX graph with spikes and states to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from onnx import FunctionProto, ValueInfoProto
from torch import fx, nn

from arlif.base.errors import LoweringError, first_line, require
from arlif.base.files import StrPath
from arlif.core.maps import Shape
from arlif.core.network import INPUT
from arlif.core.steps import CurrentPotentialState
from arlif.layers import Integrator, Largest, Last, Repeat, evaluating
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import Loop
from arlif.quantize.torch_graph import function_kind, live_nodes, population_name, trace
from arlif.quantize.walk import detached
from export.onnx.file import save_model
from export.onnx.float_loop import Part, scan_float_loop
from export.onnx.function import call_neuron, neuron_function
from export.onnx.integer_graph import SPIKES, TIME_STEPS
from export.onnx.scan import scan_step
from export.onnx.symbols import Graph, Symbol, value_info
from export.onnx.torch_layers import append

LOGITS = "logits"
LATER = np.iinfo(np.int64).max
"""Behind every time step."""


def write_onnx_float(
    module: nn.Module, path: StrPath, input_shape: Shape, states: bool = False
) -> None:
    """Write a torch network over [T, N, *input_shape] as float32; N and T stay dynamic.

    Inputs: `input`, float32 as the module takes it, and an int64 scalar `time_steps` where the
    module has a Repeat, which the graph obeys instead of the layer's own number. Outputs: `logits`,
    what the module returns, and for every neuron layer <p>: `<p>.spikes`, 0.0 or 1.0, with `states`
    also `<p>.<variable>`, all [T, N, *shape]. Neurons are functions such as arlif::ARLIF.
    Raises LoweringError where the module cannot be traced or has an unknown layer.
    """
    neurons = [(n, m) for n, m in module.named_modules() if isinstance(m, SpikingNeuron)]
    for name, neuron in neurons:
        with _named(name):
            neuron.real_neuron()
    try:
        graph = trace(module)
        with evaluating(module), torch.no_grad():
            _Shapes(fx.GraphModule(module, graph)).run(torch.zeros(1, 1, *input_shape))
    except LoweringError:
        raise
    except Exception as error:  # whatever user code raises on symbolic values
        raise LoweringError(
            f"torch.fx cannot trace the network ({first_line(error)}); avoid value-dependent code, "
            f"and let it take [T, N, {', '.join(map(str, input_shape))}]"
        ) from error
    walk = _Walk(dict(module.named_modules()), states)
    live = live_nodes(graph)
    for node in graph.nodes:
        if node in live:
            walk.visit(node)
    repeats = any(isinstance(layer, Repeat) for layer in module.modules())
    frames: tuple[int | str, ...] = (1 if repeats else "T", "N", *input_shape)
    inputs = [value_info(INPUT, np.float32, frames)]
    if repeats:
        inputs.append(value_info(TIME_STEPS, np.int64, ()))
    save_model(
        walk.graph.proto(inputs, walk.logits + walk.traces), list(walk.functions.values()), {}, path
    )


class _Walk:
    """Turns fx nodes into ONNX nodes; values keep the time and batch axes that torch gives them."""

    def __init__(self, modules: dict[str, nn.Module], states: bool) -> None:
        self.modules, self.states = modules, states
        self.graph = Graph("network/", np.float32)
        self.values: dict[fx.Node, Symbol] = {}
        self.functions: dict[str, FunctionProto] = {}
        self.logits: list[ValueInfoProto] = []
        self.traces: list[ValueInfoProto] = []

    def visit(self, node: fx.Node) -> None:
        """Append one node."""
        inputs = [self.values[source] for source in node.all_input_nodes]
        if node.op == "placeholder":
            self.values[node] = self.graph.symbol(INPUT)
        elif node.op == "output":
            require(len(inputs) == 1, "a network returns one tensor, its logits", LoweringError)
            self.graph.named(inputs[0], LOGITS)
            axes = ("T", "N", "classes")[-_rank(node.all_input_nodes[0]) :]
            self.logits.append(value_info(LOGITS, np.float32, axes))
        elif node.op == "call_module":
            with _named(str(node.target)):
                self.values[node] = self._layer(node, inputs[0])
        else:
            self.values[node] = self._function(node, inputs)

    def _layer(self, node: fx.Node, x: Symbol) -> Symbol:
        layer, source = self.modules[str(node.target)], node.all_input_nodes[0]
        shape = _shape(source)
        if isinstance(layer, SpikingNeuron):
            return self._fire(population_name(str(node.target)), layer, x, shape)
        if isinstance(layer, Loop):
            return self._loop(str(node.target), layer, x, shape)
        if isinstance(layer, Integrator):
            return self._integrate(str(node.target), layer, x, shape)
        if isinstance(layer, Last):
            return self._last_step(x)
        if isinstance(layer, Largest):
            return self.graph.node("ReduceMax", x, axes=[0], keepdims=1)
        if isinstance(layer, Repeat):
            steps = self.graph.node("Reshape", self.graph.symbol(TIME_STEPS), self._index(1))
            ones = self._index(*(1 for _ in range(_rank(source) - 1)))
            return self.graph.node("Expand", x, self.graph.node("Concat", steps, ones, axis=0))
        frames = self.graph.node("Reshape", x, self._index(-1, *shape))
        frames = append(layer, self.graph, frames, shape)
        lead = self.graph.node("Shape", x, start=0, end=_rank(source) - len(shape))
        whole = self.graph.node("Concat", lead, self._index(*_shape(node)), axis=0)
        return self.graph.node("Reshape", frames, whole)

    def _part(self, name: str, layer: SpikingNeuron) -> Part:
        neuron = detached(layer.real_neuron())
        function = neuron_function(neuron, self.functions.values())
        self.functions[function.name] = function
        return Part(name, neuron, function)

    def _loop(self, path: str, loop: Loop, x: Symbol, shape: Shape) -> Symbol:
        """All populations of a loop; what leaves it."""
        parts = {
            name: self._part(population_name(title), cast(SpikingNeuron, loop.neurons[name]))
            for name, title in loop.paths(path).items()
        }
        title = population_name(path)
        values = scan_float_loop(self.graph, title, loop, parts, x, shape, self.states)
        dtype = self.graph.dtype
        self.traces += [value_info(v, dtype, ("T", "N", *s)) for v, (_, s) in values.items()]
        return values[parts[loop.output].title + SPIKES][0]

    def _fire(self, name: str, layer: SpikingNeuron, x: Symbol, shape: Shape) -> Symbol:
        part = self._part(name, layer)
        neuron = part.neuron

        def step(body: Graph, state: Any, x: Symbol) -> tuple[Symbol, Any]:
            return call_neuron(body, part.function.name, neuron, state, x)

        dtype = self.graph.dtype
        values = scan_step(self.graph, name, x, shape, neuron.state_type, step, dtype, self.states)
        self.traces += [value_info(value, dtype, ("T", "N", *shape)) for value in values]
        return values[name + SPIKES]

    def _integrate(self, path: str, layer: Integrator, x: Symbol, shape: Shape) -> Symbol:
        """Potentials [T, N, *shape] of currents."""
        constants = (layer.decay, layer.leak, layer.current_decay)
        decay, leak, current_decay = (c.numpy().astype(np.float32) for c in constants)

        def step(_: Graph, state: Any, x: Symbol) -> tuple[Symbol, Any]:
            i = state.i * current_decay + x
            v = state.v * decay + i + leak
            return v, CurrentPotentialState(i, v)

        title = f"{population_name(path)}/potentials"
        values = scan_step(
            self.graph, title, x, shape, CurrentPotentialState, step, np.float32, record=False
        )
        return values[title + SPIKES]

    def _function(self, node: fx.Node, inputs: list[Symbol]) -> Symbol:
        kind = function_kind(node, self.modules)
        if kind == "add":
            return inputs[0] + inputs[-1]
        if kind == "flatten":
            return self.graph.node("Reshape", inputs[0], self._index(0, 0, -1))
        if kind == "same":
            return inputs[0]
        if kind == "sum":
            return self.graph.node("ReduceSum", inputs[0], self._index(0), keepdims=0)
        if kind == "largest":
            kept = _rank(node) == _rank(node.all_input_nodes[0])
            return self.graph.node("ReduceMax", inputs[0], axes=[0], keepdims=int(kept))
        if kind == "last" and _rank(node) == _rank(node.all_input_nodes[0]):
            return self._last_step(inputs[0])
        if kind == "last":
            return self.graph.node("Gather", inputs[0], self.graph.constant(-1, np.int64), axis=0)
        return self.graph.node("ReduceMean", inputs[0], axes=[0], keepdims=0)

    def _last_step(self, x: Symbol) -> Symbol:
        """[1, ...] of [T, ...]."""
        return self.graph.node("Slice", x, self._index(-1), self._index(LATER), self._index(0))

    def _index(self, *values: int) -> Symbol:
        return self.graph.constant(values, np.int64)


class _Shapes(fx.Interpreter):
    """Runs a graph and notes the shape of every tensor."""

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        n.meta["shape"] = tuple(result.shape) if isinstance(result, torch.Tensor) else ()
        return result


@contextmanager
def _named(layer: str) -> Iterator[None]:
    """Put a layer's name in front of the reason why it is refused."""
    try:
        yield
    except LoweringError as error:
        raise LoweringError(f"{layer}: {error}") from None


def _rank(node: fx.Node) -> int:
    return len(node.meta["shape"])


def _shape(node: fx.Node) -> Shape:
    """Shape of a node's value without time and batch."""
    shape: Shape = node.meta["shape"]
    return shape[2:] if len(shape) > 2 else shape[1:]
