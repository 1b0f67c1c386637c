"""Walks the graph of a torch module (torch.fx) and absorbs it into a LinearizedNetwork.

What has no exact integer counterpart is refused by name, with the reason; every violation of a
network is reported at once.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import fx, nn

from arlif.core.linear import Shape
from arlif.core.network import INPUT
from arlif.errors import ArlifError, LoweringError, require
from arlif.layers import Repeat
from arlif.neurons import SpikingNeuron
from arlif.quantize.absorb import Spikes, absorb, add, as_current, flatten, reason
from arlif.quantize.graph import LayerTracer, function_kind
from arlif.quantize.linearized import Current, LinearizedNetwork, LinearizedPopulation, Term

BROKEN = object()
"""Value of a node behind a refused layer; it silences errors that only follow from the first."""


def linearize(module: nn.Module, input_shape: Shape) -> LinearizedNetwork:
    """Absorb a trained module over [T, N, *input_shape] into neurons and linear maps.

    Raises LoweringError that names every layer without an integer counterpart, and why.
    """
    network, violations = check(module, input_shape)
    if network is None:
        raise LoweringError("; ".join(violations))
    return network


def check(
    module: nn.Module, input_shape: Shape
) -> tuple[LinearizedNetwork | None, tuple[str, ...]]:
    """The linearized network, or None and every reason why there is none."""
    try:
        graph = LayerTracer().trace(module.eval())
    except Exception as error:  # whatever user code raises on symbolic values
        return None, (f"torch.fx cannot trace the network ({error}); avoid value-dependent code",)
    walk = _Walk(dict(module.named_modules()), input_shape)
    for node in graph.nodes:
        walk.visit(node)
    if walk.violations or walk.readout is None:
        return None, tuple(walk.violations) or ("the network returns nothing",)
    return LinearizedNetwork(input_shape, walk.static, tuple(walk.populations), walk.readout), ()


_TIMELESS = (nn.Linear, nn.Flatten, nn.Dropout, nn.Identity)


class _Walk:
    """Interprets fx nodes on Spikes and Current values."""

    def __init__(self, modules: dict[str, nn.Module], input_shape: Shape) -> None:
        self.modules, self.input_shape = modules, input_shape
        self.values: dict[fx.Node, Any] = {}
        self.averaged: set[fx.Node] = set()
        self.populations: list[LinearizedPopulation] = []
        self.violations: list[str] = []
        self.readout: Current | None = None
        self.static = False

    def visit(self, node: fx.Node) -> None:
        inputs = [self.values[n] for n in node.all_input_nodes]
        if any(value is BROKEN for value in inputs):
            self._report_unknown(node)
            self.values[node] = BROKEN
            return
        try:
            self._follow_mean(node)
            self.values[node] = self._evaluate(node, inputs)
        except ArlifError as error:
            self.violations.append(f"{_title(node, self.modules)}: {error}")
            self.values[node] = BROKEN

    def _report_unknown(self, node: fx.Node) -> None:
        """Behind a refused layer only the kind of a layer can still be judged."""
        layer = self._layer(node)
        if layer is None or isinstance(layer, SpikingNeuron | Repeat):
            return
        if absorb.dispatch(type(layer)) is absorb.dispatch(object):
            self.violations.append(f"{_title(node, self.modules)}: {reason(layer)}")

    def _follow_mean(self, node: fx.Node) -> None:
        """Note what lies behind a mean over time; refuse it where time steps are needed."""
        layer = self._layer(node)
        if any(source in self.averaged for source in node.all_input_nodes):
            self.averaged.add(node)
            last = node.op == "output" or isinstance(layer, _TIMELESS)
            require(
                last or (layer is None and function_kind(node) == "add"),
                "it lies behind a mean over time, which leaves no time steps; only Linear, +, "
                "Flatten, Dropout and the output may: take the mean at the end",
                LoweringError,
            )
        first = 1 if node in self.averaged else 2
        require(
            not isinstance(layer, nn.Flatten) or (layer.start_dim, layer.end_dim) == (first, -1),
            f"it must flatten all but time and batch, so start_dim={first} and end_dim=-1",
            LoweringError,
        )

    def _layer(self, node: fx.Node) -> nn.Module | None:
        return self.modules[str(node.target)] if node.op == "call_module" else None

    def _evaluate(self, node: fx.Node, inputs: list[Any]) -> Any:
        if node.op == "placeholder":
            if self.values:
                raise LoweringError("a network has exactly one input")
            return Spikes(Term(INPUT), self.input_shape)
        if node.op == "output":
            if len(inputs) != 1:
                raise LoweringError("a network returns exactly one tensor, its logits")
            self.readout = as_current(inputs[0])
            if len(self.readout.shape) != 1:
                raise LoweringError(
                    f"the output must be one value per class, not shape {self.readout.shape}; "
                    "end with a Linear layer"
                )
            return self.readout
        layer = self._layer(node)
        if layer is None:
            return self._function(node, inputs)
        if isinstance(layer, SpikingNeuron):
            return self._fire(str(node.target), layer, inputs[0])
        return self._repeat(inputs[0]) if isinstance(layer, Repeat) else absorb(layer, inputs[0])

    def _fire(self, path: str, layer: SpikingNeuron, value: Any) -> Spikes:
        name = path.replace(".", "_")
        neuron, factor = layer.lowered()
        current = as_current(value).scaled(factor)
        self.populations.append(LinearizedPopulation(name, detached(neuron), current))
        return Spikes(Term(name), current.shape)

    def _repeat(self, value: Any) -> Any:
        sources = {t.source for t in (value.terms if isinstance(value, Current) else [value.term])}
        if sources != {INPUT}:
            raise LoweringError("Repeat shows the input at every step; put it before any neuron")
        self.static = True
        return value

    def _function(self, node: fx.Node, inputs: list[Any]) -> Any:
        kind = function_kind(node)
        if kind == "add":
            return add(as_current(inputs[0]), as_current(inputs[1]))
        if kind == "flatten":
            return flatten(inputs[0])
        self.averaged.add(node)
        return inputs[0]


def detached(neuron: Any) -> Any:
    """A real neuron with its tensors as Python floats."""
    tensors = {name: v.item() for name, v in vars(neuron).items() if isinstance(v, torch.Tensor)}
    return replace(neuron, **tensors)


def _title(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    if node.op == "call_module":
        return f"{node.target} ({type(modules[str(node.target)]).__name__})"
    return node.name
