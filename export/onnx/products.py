"""Linear maps as ConvInteger and MatMulInteger nodes, exact for inputs of any width."""

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Interval, LinearMap, Window, as_convolution, as_dense
from arlif.core.network import Projection
from export.onnx.symbols import INTEGER, Graph, Symbol

BYTE = 256
SAFE_BESIDE_INT8 = 128
"""Runtimes on x86 without VNNI add two products of an unsigned and a signed byte in 16 saturating
bits (vpmaddubsw; onnxruntime's quantization guide); 2 * 128 * 127 still fits, larger inputs meet
unsigned weights, whose products those runtimes add in 32 bits."""


def apply_projection(
    graph: Graph, projection: Projection, x: Symbol, shape: tuple[int, ...], interval: Interval
) -> Symbol:
    """(maps applied to x) << shift, int64 [B, *target]. x: [B, *shape], integers in `interval`."""
    for linear in projection.maps:
        x = _apply(graph, linear, x, shape, interval)
        shape, interval = linear.output_shape(shape), linear.output_interval(interval)
    return x.cast(INTEGER) * (1 << projection.shift)


def any_under(graph: Graph, window: Window, spikes: Symbol) -> Symbol:
    """1 where any spike lies under the window: bool [B, C, H', W'] of spikes [B, C, H, W]."""
    data, (top, left) = spikes.cast(np.float32), window.padding
    if top or left:  # not by MaxPool, nor on bytes: onnx.reference goes wrong on both
        sides = graph.constant([0, 0, top, left] * 2, np.int64)
        data = graph.node("Pad", data, sides, graph.constant(0, np.float32))
    largest = graph.node(
        "MaxPool",
        data,
        kernel_shape=window.kernel,
        strides=window.stride,
        dilations=window.dilation,
    )
    return largest.cast(np.bool_)


def _apply(
    graph: Graph, linear: LinearMap, x: Symbol, shape: tuple[int, ...], interval: Interval
) -> Symbol:
    """One map on inputs of any width: byte by byte, since the map is linear.

    Digits lie around 0: none is farther from it than the widest inputs, so that each digit's sums
    fit the 32 bits that the whole sums are proven to fit.
    """
    low, high = interval
    if high - low < BYTE:
        return _apply_bytes(linear, graph, x, shape, interval)
    wide, half = x.cast(INTEGER), BYTE // 2
    digit = graph.node("Mod", wide + half, BYTE) - half
    rest = graph.node("Div", wide - digit, BYTE)
    return _apply(graph, linear, digit, shape, (-half, half - 1)) + BYTE * _apply(
        graph, linear, rest, shape, ((low + half) // BYTE, (high + half) // BYTE)
    )


def _apply_bytes(
    linear: LinearMap, graph: Graph, x: Symbol, shape: tuple[int, ...], interval: Interval
) -> Symbol:
    """One map on inputs whose interval, shifted by the zero point -low, fits an unsigned byte."""
    low, high = interval
    data = (
        (x.cast(np.int32) + graph.constant(-low, np.int32)).cast(np.uint8)
        if low
        else x.cast(np.uint8)
    )
    zero = graph.constant(-low, np.uint8)
    return synapses(linear, graph, data, zero, shape, high - low > SAFE_BESIDE_INT8).cast(INTEGER)


def _weight(graph: Graph, weight: NDArray[np.int8], unsigned: bool) -> tuple[Symbol, Symbol]:
    """Weights and their zero point."""
    if unsigned:
        return graph.constant(weight.astype(np.int16) + 128, np.uint8), graph.constant(
            128, np.uint8
        )
    return graph.constant(weight, np.int8), graph.constant(0, np.int8)


def synapses(
    linear: LinearMap,
    graph: Graph,
    data: Symbol,
    zero: Symbol,
    shape: tuple[int, ...],
    unsigned: bool,
) -> Symbol:
    """The int32 sums of one linear map over bytes `data` [B, *shape] with zero point `zero`.

    A convolution where the map is one, else a matrix. Raises NetworkError where that has weights of
    more than 8 bits.
    """
    convolution = as_convolution(linear, shape)
    if convolution is not None:
        weight, weight_zero = _weight(graph, convolution.weight, unsigned)
        inputs = data, weight, zero, weight_zero
        return _convolve(graph, inputs, convolution.window, convolution.groups)
    weight, weight_zero = _weight(graph, as_dense(linear, shape).weight.T, unsigned)
    flat = graph.node("Flatten", data, axis=1)
    sums = graph.node("MatMulInteger", flat, weight, zero, weight_zero)
    to = linear.output_shape(shape)
    return sums if len(to) == 1 else graph.node("Reshape", sums, np.array((-1, *to), np.int64))


def _convolve(graph: Graph, inputs: tuple[Symbol, ...], window: Window, groups: int) -> Symbol:
    return graph.node(
        "ConvInteger",
        *inputs,
        kernel_shape=window.kernel,
        strides=window.stride,
        pads=window.padding * 2,
        dilations=window.dilation,
        group=groups,
    )
