"""Walks the graph of a torch module (torch.fx) and absorbs it into a LinearizedNetwork.

What has no exact integer counterpart is refused by name, with the reason; every violation of a
network is reported at once.
"""

import operator
from dataclasses import dataclass, replace
from functools import singledispatchmethod
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from arlif.core.linear import Shape, SumPool2d
from arlif.core.network import INPUT
from arlif.errors import ArlifError, LoweringError
from arlif.layers import Repeat
from arlif.neurons import SpikingNeuron
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    Real,
    RealConv2d,
    RealDense,
    Term,
)

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
        graph = _Tracer().trace(module.eval())
    except Exception as error:  # whatever user code raises on symbolic values
        return None, (f"torch.fx cannot trace the network ({error}); avoid value-dependent code",)
    walk = _Walk(dict(module.named_modules()), input_shape)
    for node in graph.nodes:
        walk.visit(node)
    if walk.violations or walk.readout is None:
        return None, tuple(walk.violations) or ("the network returns nothing",)
    return LinearizedNetwork(input_shape, walk.static, tuple(walk.populations), walk.readout), ()


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        library = m.__module__.startswith(("torch.nn.", "arlif.layers"))
        return isinstance(m, SpikingNeuron) or (library and not isinstance(m, nn.Sequential))


@dataclass(frozen=True)
class _Spikes:
    """What a node sends, perhaps pooled: the only thing that weights may be applied to."""

    term: Term
    shape: Shape


class _Walk:
    """Interprets fx nodes on _Spikes and Current values."""

    def __init__(self, modules: dict[str, nn.Module], input_shape: Shape) -> None:
        self.modules, self.input_shape = modules, input_shape
        self.values: dict[fx.Node, Any] = {}
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
            self.values[node] = self._evaluate(node, inputs)
        except ArlifError as error:
            self.violations.append(f"{_title(node, self.modules)}: {error}")
            self.values[node] = BROKEN

    def _report_unknown(self, node: fx.Node) -> None:
        """Behind a refused layer only the kind of a layer can still be judged."""
        layer = self.modules.get(str(node.target)) if node.op == "call_module" else None
        known = (SpikingNeuron, Repeat)
        refused = self.layer.dispatcher.dispatch(object)
        if layer is not None and not isinstance(layer, known):
            if self.layer.dispatcher.dispatch(type(layer)) is refused:
                self.violations.append(f"{_title(node, self.modules)}: {_reason(layer)}")

    def _evaluate(self, node: fx.Node, inputs: list[Any]) -> Any:
        if node.op == "placeholder":
            if self.values:
                raise LoweringError("a network has exactly one input")
            return _Spikes(Term(INPUT), self.input_shape)
        if node.op == "output":
            if len(inputs) != 1:
                raise LoweringError("a network returns exactly one tensor, its logits")
            self.readout = _as_current(inputs[0])
            if len(self.readout.shape) != 1:
                raise LoweringError(
                    f"the output must be one value per class, not shape {self.readout.shape}; "
                    "end with a Linear layer"
                )
            return self.readout
        if node.op == "call_module":
            layer = self.modules[str(node.target)]
            if isinstance(layer, SpikingNeuron):
                return self._fire(str(node.target), layer, inputs[0])
            if isinstance(layer, Repeat):
                return self._repeat(inputs[0])
            return self.layer(layer, inputs[0])
        return self._function(node, inputs)

    def _fire(self, path: str, layer: SpikingNeuron, value: Any) -> _Spikes:
        name = path.replace(".", "_")
        current = _as_current(value)
        self.populations.append(LinearizedPopulation(name, _detached(layer.real_neuron()), current))
        return _Spikes(Term(name), current.shape)

    def _repeat(self, value: Any) -> Any:
        sources = {t.source for t in (value.terms if isinstance(value, Current) else [value.term])}
        if sources != {INPUT}:
            raise LoweringError("Repeat shows the input at every step; put it before any neuron")
        self.static = True
        return value

    def _function(self, node: fx.Node, inputs: list[Any]) -> Any:
        target = node.target if isinstance(node.target, str) else _FUNCTIONS.get(node.target)
        if target == "add" and len(inputs) == 2 and len(node.args) == 2:
            return _add(_as_current(inputs[0]), _as_current(inputs[1]))
        arguments = (*node.args[1:], *node.kwargs.values())
        if target == "flatten" and arguments == (2,):
            return _flatten(inputs[0])
        if target == "mean" and arguments in ((0,), ((0,),), ([0],)):
            return inputs[0]
        raise LoweringError(
            f"the operation {getattr(node.target, '__name__', node.target)} has no integer "
            "counterpart; use layers from arlif.layers, +, flatten(2) and mean(0) over time"
        )

    @singledispatchmethod
    def layer(self, layer: nn.Module, value: Any) -> Any:
        """The value behind a layer."""
        raise LoweringError(_reason(layer))

    @layer.register(nn.Identity)
    @layer.register(nn.Dropout)
    @layer.register(nn.Dropout2d)
    def _(self, layer: nn.Module, value: Any) -> Any:
        return value

    @layer.register(nn.Flatten)
    def _(self, layer: nn.Flatten, value: Any) -> Any:
        return _flatten(value)

    @layer.register
    def _(self, layer: nn.Conv2d, value: Any) -> Any:
        spikes = _as_spikes(value)
        if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            raise LoweringError("only numeric zero padding is supported; give padding as numbers")
        _require_frame(spikes.shape)
        weights = RealConv2d(
            _array(layer.weight),
            _pair(layer.stride),
            _pair(layer.padding),
            _pair(layer.dilation),
            layer.groups,
        )
        if layer.in_channels != spikes.shape[0]:
            raise LoweringError(
                f"takes {layer.in_channels} channels but receives shape {spikes.shape}"
            )
        return _weigh(spikes, weights, layer.bias)

    @layer.register
    def _(self, layer: nn.Linear, value: Any) -> Any:
        spikes = _as_spikes(value)
        if spikes.shape != (layer.in_features,):
            raise LoweringError(
                f"takes {layer.in_features} features but receives shape {spikes.shape}; "
                "put Flatten before it"
            )
        return _weigh(spikes, RealDense(_array(layer.weight)), layer.bias)

    @layer.register(nn.BatchNorm1d)
    @layer.register(nn.BatchNorm2d)
    def _(self, layer: nn.BatchNorm2d, value: Any) -> Any:
        if isinstance(value, _Spikes) and value.term.source != INPUT:
            raise LoweringError("batch norm acts on currents, not on spikes; put it behind weights")
        if layer.running_mean is None or layer.running_var is None:
            raise LoweringError("batch norm needs running statistics to be absorbed")
        current = _as_current(value)
        if layer.num_features != current.shape[0]:
            raise LoweringError(f"takes {layer.num_features} channels but receives {current.shape}")
        gain = 1.0 / np.sqrt(_array(layer.running_var) + layer.eps)
        if layer.affine:
            gain = gain * _array(layer.weight)
        bias = (current.bias - _array(layer.running_mean)) * gain
        if layer.affine:
            bias = bias + _array(layer.bias)
        return replace(current, terms=tuple(t.per_channel(gain) for t in current.terms), bias=bias)

    @layer.register
    def _(self, layer: nn.AvgPool2d, value: Any) -> Any:
        pool = SumPool2d(_pair(layer.kernel_size), _pair(layer.stride), _pair(layer.padding))
        if layer.ceil_mode or (pool.padding != (0, 0) and not layer.count_include_pad):
            raise LoweringError("ceil_mode and count_include_pad=False divide unevenly at borders")
        area = layer.divisor_override or pool.kernel[0] * pool.kernel[1]
        return _pool(value, pool, 1.0 / area)

    @layer.register
    def _(self, layer: nn.AdaptiveAvgPool2d, value: Any) -> Any:
        _require_frame(value.shape)
        size = value.shape[1:]
        wanted = tuple(w or s for w, s in zip(_pair(layer.output_size), size, strict=True))
        if any(s % w for s, w in zip(size, wanted, strict=True)):
            raise LoweringError(f"adaptive pooling of {size} to {wanted} needs uneven windows")
        window = (size[0] // wanted[0], size[1] // wanted[1])
        return _pool(value, SumPool2d(window, window), 1.0 / (window[0] * window[1]))


_FUNCTIONS: dict[Any, str] = {
    operator.add: "add",
    operator.iadd: "add",
    torch.add: "add",
    torch.flatten: "flatten",
    torch.mean: "mean",
}

_REASONS = {
    "MaxPool2d": "max pooling of graded values is not linear; use AvgPool2d",
    "ReLU": "a real-valued activation has no spikes; use arlif.ARLIF or arlif.LIF",
    "LayerNorm": "it normalizes by the running input; use batch norm, which can be absorbed",
    "GroupNorm": "it normalizes by the running input; use batch norm, which can be absorbed",
}


def _reason(layer: nn.Module) -> str:
    return _REASONS.get(type(layer).__name__, "it has no integer counterpart")


def _as_spikes(value: Any) -> _Spikes:
    if isinstance(value, Current):
        raise LoweringError(
            "its input is a real-valued stream, not spikes; put a neuron in front of it"
        )
    spikes: _Spikes = value
    return spikes


def _as_current(value: Any) -> Current:
    if isinstance(value, Current):
        return value
    channels = value.shape[0]
    identity: RealConv2d | RealDense = RealDense(np.eye(channels))
    if len(value.shape) == 3:
        identity = RealConv2d(np.ones((channels, 1, 1, 1)), (1, 1), (0, 0), (1, 1), channels)
    return Current((value.term.weighted(identity),), np.zeros(channels), value.shape)


def _weigh(spikes: _Spikes, weights: RealConv2d | RealDense, bias: torch.Tensor | None) -> Current:
    shape = weights.output_shape(spikes.shape)
    offset = np.zeros(shape[0]) if bias is None else _array(bias)
    return Current((spikes.term.weighted(weights),), offset, shape)


def _pool(value: Any, pool: SumPool2d, factor: float) -> Any:
    shape = pool.output_shape(value.shape)
    if isinstance(value, _Spikes):
        return _Spikes(value.term.pooled(pool, factor), shape)
    if pool.padding != (0, 0):
        raise LoweringError("padded pooling of currents mixes the bias with zeros")
    terms = tuple(term.pooled(pool, factor) for term in value.terms)
    area = factor * pool.kernel[0] * pool.kernel[1]
    return Current(terms, value.bias * area, shape)


def _flatten(value: Any) -> Any:
    features = (int(np.prod(value.shape)),)
    if isinstance(value, Current) and value.shape != features:
        raise LoweringError("flatten spikes, not currents: put Flatten behind the neuron")
    return replace(value, shape=features)


def _add(a: Current, b: Current) -> Current:
    if a.shape != b.shape:
        raise LoweringError(f"adds shapes {a.shape} and {b.shape}, which differ")
    return Current((*a.terms, *b.terms), a.bias + b.bias, a.shape)


def _detached(neuron: Any) -> Any:
    tensors = {name: v.item() for name, v in vars(neuron).items() if isinstance(v, torch.Tensor)}
    return replace(neuron, **tensors)


def _array(tensor: torch.Tensor) -> Real:
    array = tensor.detach().cpu().double().numpy()
    if not np.isfinite(array).all():
        raise LoweringError("its parameters hold NaN or infinity; the training run diverged")
    return array


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _require_frame(shape: Shape) -> None:
    if len(shape) != 3:
        raise LoweringError(f"needs (C, H, W), but receives {shape}")


def _title(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    if node.op == "call_module":
        return f"{node.target} ({type(modules[str(node.target)]).__name__})"
    return node.name
