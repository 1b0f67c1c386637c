"""NIR's linear nodes as layers over [T, N, ...]."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from arlif import layers
from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape, Window
from export.nir.fields import each, integers, numbers, weights
from export.nir.node_list import Node

Layer = tuple[nn.Module, Shape]
"""A layer and the shape of its output."""


def linear(node: Node, shape: Shape) -> Layer:
    """y = W x (+ b); frames are flattened first."""
    weight = weights(node, "weight", 2)
    bias = weights(node, "bias", 1) if node.kind == "Affine" else None
    return _dense(node, weight, bias, shape)


def conv1d(node: Node, shape: Shape) -> Layer:
    """A convolution over (C, L), worked as one over (C, 1, L)."""
    weight = weights(node, "weight", 3)[:, :, None, :]
    stride, dilation = integers(node, "stride", 1), integers(node, "dilation", 1)
    window = _window(weight, (1, *stride), _padding(node, weight, 1, dilation), (1, *dilation))
    return _convolution(node, weight, window, shape)


def conv2d(node: Node, shape: Shape) -> Layer:
    """A convolution over (C, H, W)."""
    weight = weights(node, "weight", 4)
    stride, dilation = integers(node, "stride", 2), integers(node, "dilation", 2)
    window = _window(weight, stride, _padding(node, weight, 2, dilation), dilation)
    return _convolution(node, weight, window, shape)


def head(node: Node, shape: Shape) -> Layer:
    """A layer before the Output; a convolution as large as its input gives features, not a frame.

    Tools disagree on Flatten, so that is how portable files end.
    """
    if node.kind == "Conv2d":
        weight = weights(node, "weight", 4)
        dilation = integers(node, "dilation", 2)
        full = weight.shape[1:] == shape and _padding(node, weight, 2, dilation) == (0, 0)
        if full and _one(node, "groups") == 1:
            return _dense(node, weight.reshape(len(weight), -1), weights(node, "bias", 1), shape)
    return LAYERS[node.kind](node, shape)


def flatten(node: Node, shape: Shape) -> Layer:
    """All of a frame becomes features; whether dimensions count the batch differs by tool."""
    start = int(numbers(node, "start_dim").ravel()[0])
    end = int(numbers(node, "end_dim").ravel()[0])
    signal = len(shape) == 3 and shape[1] == 1  # perhaps (C, L)
    ends = (len(shape) - 2, len(shape) - 1, len(shape))[not signal :]
    require(
        start in (0, 1) and end in (-1, *ends),
        f"{node.name} flattens dimensions {start} to {end} of {shape}; "
        "only flattening whole frames is supported",
        FormatError,
    )
    return layers.Flatten(), (int(np.prod(shape)),)


def pool(node: Node, shape: Shape) -> Layer:
    """SumPool2d or AvgPool2d."""
    window = Window(*(_pair(node, field) for field in ("kernel_size", "stride", "padding")))
    divisor = 1 if node.kind == "SumPool2d" else None
    layer = layers.AvgPool2d(window.kernel, window.stride, window.padding, divisor_override=divisor)
    return layer, (shape[0], *window.output_size(shape))


def scale(node: Node, shape: Shape) -> Layer:
    """y = s x, element by element."""
    return layers.Scale(each(node, "scale", shape)), shape


def delay(node: Node, dt: float | None) -> int:
    """How many whole time steps of dt seconds a Delay lasts, the same for every neuron."""
    seconds = numbers(node, "delay").astype(np.float64)
    if not seconds.any():
        return 0
    require(
        dt is not None,
        f"{node.name} (Delay) waits for up to {seconds.max():g} s and the file does not say how "
        "long a time step is; give dt in seconds (snnTorch and SpikingJelly write files "
        "for 1e-4)",
        FormatError,
    )
    assert dt is not None
    steps = np.rint(seconds / dt)
    require(
        bool((seconds >= 0).all() and (steps == steps.flat[0]).all()),
        f"{node.name} (Delay) waits for {seconds.min():g} to {seconds.max():g} s; one delay, of 0 "
        "or more, must hold for a layer: split it by delay",
        FormatError,
    )
    require(
        bool((np.abs(steps - seconds / dt) < WHOLE).all()),
        f"{node.name} (Delay) waits for {seconds.flat[0]:g} s, {seconds.flat[0] / dt:g} time steps "
        f"of {dt:g} s; give a dt of which delays are multiples",
        FormatError,
    )
    return int(steps.flat[0])


WHOLE = 1e-3
"""By how much of a time step a delay may differ from whole ones: float32 seconds do."""


LAYERS: dict[str, Callable[[Node, Shape], Layer]] = {
    "Linear": linear,
    "Affine": linear,
    "Conv1d": conv1d,
    "Conv2d": conv2d,
    "Flatten": flatten,
    "SumPool2d": pool,
    "AvgPool2d": pool,
    "Scale": scale,
}
"""The linear nodes that are read."""


def _dense(
    node: Node, weight: NDArray[np.float32], bias: NDArray[np.float32] | None, shape: Shape
) -> Layer:
    outputs, inputs = weight.shape
    require(
        inputs == int(np.prod(shape)) and (bias is None or len(bias) == outputs),
        f"{node.name} takes {inputs} features but receives shape {shape}"
        + ("" if bias is None else f", and has {len(bias)} biases for {outputs} outputs"),
        FormatError,
    )
    layer = layers.Linear(inputs, outputs, bias=bias is not None)
    _set(layer, weight, bias)
    return nn.Sequential(layers.Flatten(), layer) if len(shape) > 1 else layer, (outputs,)


def _convolution(node: Node, weight: NDArray[np.float32], window: Window, shape: Shape) -> Layer:
    groups, bias = _one(node, "groups"), weights(node, "bias", 1)
    outputs, inputs = len(weight), weight.shape[1] * groups
    require(
        len(shape) == 3 and shape[0] == inputs and groups >= 1 and outputs % groups == 0,
        f"{node.name} takes {inputs} channels in {groups} groups but receives shape {shape}",
        FormatError,
    )
    require(
        len(bias) == outputs, f"{node.name} needs {outputs} biases, not {len(bias)}", FormatError
    )
    layer = layers.Conv2d(
        inputs,
        outputs,
        window.kernel,
        window.stride,
        window.padding,
        window.dilation,
        groups,
    )
    _set(layer, weight, bias)
    return layer, (outputs, *window.output_size(shape))


def _set(
    layer: nn.Linear | nn.Conv2d, weight: NDArray[np.float32], bias: NDArray[np.float32] | None
) -> None:
    layer.weight = nn.Parameter(torch.from_numpy(weight))
    if bias is not None:
        layer.bias = nn.Parameter(torch.from_numpy(bias))


def _window(
    weight: NDArray[np.float32],
    stride: tuple[int, ...],
    padding: tuple[int, int],
    dilation: tuple[int, ...],
) -> Window:
    height, width = weight.shape[2:]
    return Window((height, width), (stride[0], stride[1]), padding, (dilation[0], dilation[1]))


def _padding(
    node: Node, weight: NDArray[np.float32], count: int, dilation: tuple[int, ...]
) -> tuple[int, int]:
    match node.fields.get("padding"):
        case str("valid"):
            return 0, 0
        case str("same"):
            return _same(node, weight, count, dilation)
    sizes = integers(node, "padding", count)
    return (0, sizes[0]) if count == 1 else (sizes[0], sizes[1])


def _same(
    node: Node, weight: NDArray[np.float32], count: int, dilation: tuple[int, ...]
) -> tuple[int, int]:
    kernel = weight.shape[2:]
    spread = dilation if count == 2 else (1, *dilation)
    total = [d * (k - 1) for d, k in zip(spread, kernel, strict=True)]
    require(
        all(n % 2 == 0 for n in total) and set(integers(node, "stride", count)) == {1},
        f"{node.name}: padding 'same' is not symmetric for kernel {kernel}; give numbers",
        FormatError,
    )
    return total[0] // 2, total[1] // 2


def _pair(node: Node, field: str) -> tuple[int, int]:
    first, second = integers(node, field, 2)
    return first, second


def _one(node: Node, field: str) -> int:
    return integers(node, field, 1)[0]
