"""Torch layers as float ONNX nodes, each on frames [B, *shape]: one function a layer."""

from functools import singledispatch
from typing import Any

import numpy as np
import torch
from torch import nn

from arlif.base.errors import LoweringError, require
from arlif.core.maps import Shape
from arlif.layers import Scale, Vote, both_axes
from arlif.quantize.padding import zeros_around
from export.onnx.symbols import Graph, Symbol


@singledispatch
def append(layer: nn.Module, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    """Append a layer's nodes behind x [B, *shape]; raises LoweringError for an unknown layer."""
    raise LoweringError(
        f"{type(layer).__name__} has no ONNX form here; use layers from arlif.layers"
    )


@append.register(nn.Identity)
@append.register(nn.Dropout)
@append.register(nn.Dropout2d)
def _(layer: nn.Module, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    return x


@append.register
def _(layer: nn.Sequential, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    frame = torch.zeros(1, 1, *shape)
    for part in layer:
        x = append(part, graph, x, tuple(frame.shape[2:]))
        frame = part(frame)
    return x


@append.register
def _(layer: Scale, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    return x * _array(layer.factor)


@append.register
def _(layer: Vote, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    frame = graph.node("Reshape", x, graph.constant([-1, 1, shape[0]], np.int64))
    votes = graph.node("AveragePool", frame, kernel_shape=[layer.size], strides=[layer.size])
    return graph.node("Reshape", votes, graph.constant([-1, shape[0] // layer.size], np.int64))


@append.register
def _(layer: nn.Flatten, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    return graph.node("Flatten", x, axis=1)


@append.register
def _(layer: nn.Linear, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    y = graph.node("MatMul", x, _array(layer.weight).T)
    return y if layer.bias is None else y + _array(layer.bias)


@append.register(nn.Conv1d)
@append.register(nn.Conv2d)
def _(layer: nn.Conv1d | nn.Conv2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    bias = [] if layer.bias is None else [_array(layer.bias)]
    weight = _array(layer.weight)
    return graph.node(
        "Conv",
        x,
        weight.reshape(*weight.shape[:2], *_axes(layer, shape, layer.kernel_size, 1)),
        *bias,
        strides=_axes(layer, shape, layer.stride, 1),
        pads=_axes(layer, shape, zeros_around(layer), 0) * 2,
        dilations=_axes(layer, shape, layer.dilation, 1),
        group=layer.groups,
    )


@append.register(nn.BatchNorm1d)
@append.register(nn.BatchNorm2d)
def _(layer: nn.BatchNorm2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    mean, variance = layer.running_mean, layer.running_var
    if mean is None or variance is None:
        raise LoweringError("batch norm needs running statistics")
    scale = layer.weight if layer.affine else torch.ones_like(mean)
    shift = layer.bias if layer.affine else torch.zeros_like(mean)
    numbers = [_array(tensor) for tensor in (scale, shift, mean, variance)]
    return graph.node("BatchNormalization", x, *numbers, epsilon=layer.eps)


@append.register(nn.AvgPool1d)
@append.register(nn.AvgPool2d)
def _(layer: nn.AvgPool1d | nn.AvgPool2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    require(
        isinstance(layer, nn.AvgPool1d) or not layer.divisor_override,
        "divisor_override has no ONNX form; leave it out",
        LoweringError,
    )
    return graph.node(
        "AveragePool",
        x,
        kernel_shape=_axes(layer, shape, layer.kernel_size, 1),
        strides=_axes(layer, shape, layer.stride, 1),
        pads=_axes(layer, shape, layer.padding, 0) * 2,
        ceil_mode=int(layer.ceil_mode),
        count_include_pad=int(layer.count_include_pad),
    )


@append.register(nn.MaxPool1d)
@append.register(nn.MaxPool2d)
def _(layer: nn.MaxPool1d | nn.MaxPool2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    require(
        not layer.return_indices,
        "return_indices has no ONNX form here; leave it at False",
        LoweringError,
    )
    return graph.node(
        "MaxPool",
        x,
        kernel_shape=_axes(layer, shape, layer.kernel_size, 1),
        strides=_axes(layer, shape, layer.stride, 1),
        pads=_axes(layer, shape, layer.padding, 0) * 2,
        dilations=_axes(layer, shape, layer.dilation, 1),
        ceil_mode=int(layer.ceil_mode),
    )


@append.register(nn.AdaptiveAvgPool1d)
@append.register(nn.AdaptiveAvgPool2d)
def _(
    layer: nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d, graph: Graph, x: Symbol, shape: Shape
) -> Symbol:
    asked = _axes(layer, shape, layer.output_size, 1)
    wanted = [w or s for w, s in zip(asked, shape[1:], strict=True)]
    require(
        all(s % w == 0 for s, w in zip(shape[1:], wanted, strict=True)),
        f"adaptive pooling of {shape[1:]} to {tuple(wanted)} needs uneven windows",
        LoweringError,
    )
    window = [s // w for s, w in zip(shape[1:], wanted, strict=True)]
    return graph.node("AveragePool", x, kernel_shape=window, strides=window)


def _axes(layer: nn.Module, shape: Shape, value: Any, height: int) -> tuple[Any, ...]:
    """both_axes; of signals (C, L) only the second."""
    return both_axes(layer, value, height)[1 - len(shape) :]


def _array(tensor: torch.Tensor) -> Any:
    return tensor.detach().cpu().float().numpy()
