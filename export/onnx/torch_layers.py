"""Torch layers as float ONNX nodes, each on frames [B, *shape]: one function a layer."""

from functools import singledispatch
from typing import Any

import torch
from torch import nn

from arlif.base.errors import LoweringError, require
from arlif.core.maps import Shape
from arlif.layers import Scale, both_axes
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
def _(layer: nn.Flatten, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    return graph.node("Flatten", x, axis=1)


@append.register
def _(layer: nn.Linear, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    y = graph.node("MatMul", x, _array(layer.weight).T)
    return y if layer.bias is None else y + _array(layer.bias)


@append.register
def _(layer: nn.Conv2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    require(
        layer.padding_mode == "zeros" and not isinstance(layer.padding, str),
        "only numeric zero padding is supported; give padding as numbers",
        LoweringError,
    )
    bias = [] if layer.bias is None else [_array(layer.bias)]
    return graph.node(
        "Conv",
        x,
        _array(layer.weight),
        *bias,
        strides=both_axes(layer.stride),
        pads=both_axes(layer.padding) * 2,
        dilations=both_axes(layer.dilation),
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


@append.register
def _(layer: nn.AvgPool2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    require(
        not layer.divisor_override, "divisor_override has no ONNX form; leave it out", LoweringError
    )
    return graph.node(
        "AveragePool",
        x,
        kernel_shape=both_axes(layer.kernel_size),
        strides=both_axes(layer.stride),
        pads=both_axes(layer.padding) * 2,
        ceil_mode=int(layer.ceil_mode),
        count_include_pad=int(layer.count_include_pad),
    )


@append.register
def _(layer: nn.MaxPool2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    require(
        not layer.return_indices,
        "return_indices has no ONNX form here; leave it at False",
        LoweringError,
    )
    return graph.node(
        "MaxPool",
        x,
        kernel_shape=both_axes(layer.kernel_size),
        strides=both_axes(layer.stride),
        pads=both_axes(layer.padding) * 2,
        dilations=both_axes(layer.dilation),
        ceil_mode=int(layer.ceil_mode),
    )


@append.register
def _(layer: nn.AdaptiveAvgPool2d, graph: Graph, x: Symbol, shape: Shape) -> Symbol:
    wanted = [w or s for w, s in zip(both_axes(layer.output_size), shape[1:], strict=True)]
    require(
        all(s % w == 0 for s, w in zip(shape[1:], wanted, strict=True)),
        f"adaptive pooling of {shape[1:]} to {tuple(wanted)} needs uneven windows",
        LoweringError,
    )
    window = [s // w for s, w in zip(shape[1:], wanted, strict=True)]
    return graph.node("AveragePool", x, kernel_shape=window, strides=window)


def _array(tensor: torch.Tensor) -> Any:
    return tensor.detach().cpu().float().numpy()
