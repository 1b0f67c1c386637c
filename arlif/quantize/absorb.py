"""What each torch layer means to spikes and currents: the mapping rules, one function a layer."""

from dataclasses import replace
from functools import partial, reduce, singledispatch
from typing import Any

import numpy as np
import torch
from torch import nn

from arlif.base.errors import ArlifError, LoweringError, require
from arlif.core.maps import Shape, SumPool2d, Window
from arlif.core.network import INPUT
from arlif.layers import SIGNAL_LAYERS, Delay, Integrator, Scale, StepGain, Vote, both_axes
from arlif.quantize.integrated import Integrated, integrate, mapped
from arlif.quantize.linearized import Current, Real, RealConv2d, RealDense
from arlif.quantize.padding import zeros_around
from arlif.quantize.values import (
    Resampled,
    Spikes,
    Together,
    as_current,
    as_spikes,
    delayed,
    flatten,
    fold,
    multiplied,
    scaled,
    stepped,
    weigh,
)
from arlif.quantize.windows import any_under, pooled

BROKEN = object()
"""Value of a node behind a refused layer; it silences errors that only follow from the first."""


@singledispatch
def absorb(layer: nn.Module, value: Any) -> Any:
    """The value behind a layer; raises LoweringError where it has no integer counterpart."""
    raise LoweringError(reason(layer))


def behind(layer: nn.Module, value: Any) -> Any:
    """The value behind a layer, which may stand behind integrators; raises LoweringError."""
    if not isinstance(value, Integrated) or isinstance(layer, _SEE_POTENTIALS):
        return absorb(layer, value)
    if isinstance(layer, _NORMS) and isinstance(value.drive, Spikes | Together):
        value = replace(value, drive=as_current(value.drive))
    return mapped(partial(absorb, layer), value, not isinstance(layer, _PLACE_BY_PLACE))


def instead(layer: nn.Module | None, values: list[Any]) -> Any:
    """What is taken for the value behind a refused layer, to judge what follows: means for maxima.

    BROKEN where nothing can be.
    """
    match layer:
        case nn.MaxPool1d(kernel_size=size, stride=stride):
            pool: nn.Module = nn.AvgPool1d(size, stride)
        case nn.MaxPool2d(kernel_size=size, stride=stride):
            pool = nn.AvgPool2d(size, stride)
        case _:
            return BROKEN
    try:
        return behind(pool, *values)
    except ArlifError:
        return BROKEN


_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_SEE_POTENTIALS = (nn.Sequential, nn.MaxPool2d, Integrator)
_PLACE_BY_PLACE = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten, Delay, Scale, *_NORMS)


@absorb.register(nn.Identity)
@absorb.register(nn.Dropout)
@absorb.register(nn.Dropout2d)
def _(layer: nn.Module, value: Any) -> Any:
    return value


@absorb.register
def _(layer: nn.Sequential, value: Any) -> Any:
    return reduce(lambda at, part: behind(part, at), layer, value)


@absorb.register
def _(layer: Delay, value: Any) -> Any:
    return delayed(value, layer.steps)


@absorb.register
def _(layer: Scale, value: Any) -> Any:
    factor = _array(layer.factor)
    if (factor == factor.flat[0]).all():
        return scaled(value, float(factor.flat[0]))
    return multiplied(value, factor)


@absorb.register
def _(layer: StepGain, value: Any) -> Any:
    return stepped(value, _array(layer.gain))


@absorb.register
def _(layer: Integrator, value: Any) -> Any:
    constants = map(_array, (layer.decay, layer.leak, layer.current_decay))
    return integrate(value, *constants)


@absorb.register(nn.Flatten)
def _(layer: nn.Flatten, value: Any) -> Any:
    return flatten(value)


@absorb.register(nn.Conv1d)
@absorb.register(nn.Conv2d)
def _(layer: nn.Conv1d | nn.Conv2d, value: Any) -> Any:
    spikes = as_spikes(value)
    _require_frame(layer, spikes.shape)
    weight = _array(layer.weight)
    weights = RealConv2d(
        weight.reshape(*weight.shape[:2], *both_axes(layer, layer.kernel_size, 1)),
        both_axes(layer, layer.stride, 1),
        both_axes(layer, zeros_around(layer), 0),
        both_axes(layer, layer.dilation, 1),
        layer.groups,
    )
    if layer.in_channels != spikes.shape[0]:
        raise LoweringError(f"takes {layer.in_channels} channels but receives shape {spikes.shape}")
    return weigh(spikes, weights, _bias(layer))


@absorb.register
def _(layer: nn.Linear, value: Any) -> Any:
    if value.shape != (layer.in_features,):
        cure = "put Flatten before it" if len(value.shape) > 1 else "let it take as many"
        raise LoweringError(
            f"takes {layer.in_features} features but receives shape {value.shape}; {cure}"
        )
    weight = _array(layer.weight)
    if isinstance(value, Current):
        return fold(value, weight, _bias(layer))
    if isinstance(value, Resampled):
        shape = (len(weight), -1, len(value.rows), len(value.columns))
        weight = np.einsum("ocij,ih,jw->ochw", weight.reshape(shape), value.rows, value.columns)
    return weigh(value, RealDense(weight.reshape(len(weight), -1)), _bias(layer))


@absorb.register
def _(layer: Vote, value: Any) -> Any:
    require(
        len(value.shape) == 1 and value.shape[0] >= layer.size,
        f"takes at least {layer.size} features but receives shape {value.shape}",
        LoweringError,
    )
    classes = value.shape[0] // layer.size
    weight = np.zeros((classes, value.shape[0]))
    weight[:, : classes * layer.size] = np.kron(np.eye(classes), np.ones(layer.size)) / layer.size
    return (
        fold(value, weight, None)
        if isinstance(value, Current)
        else weigh(value, RealDense(weight), None)
    )


@absorb.register(nn.BatchNorm1d)
@absorb.register(nn.BatchNorm2d)
def _(layer: nn.BatchNorm2d, value: Any) -> Any:
    if isinstance(value, Spikes) and value.term.source != INPUT:
        raise LoweringError("batch norm acts on currents, not on spikes; put it behind weights")
    if layer.running_mean is None or layer.running_var is None:
        raise LoweringError("batch norm needs running statistics to be absorbed")
    current = as_current(value)
    if layer.num_features != current.shape[0]:
        raise LoweringError(f"takes {layer.num_features} channels but receives {current.shape}")
    variance = _array(layer.running_var)
    if variance.min() < 0:
        raise LoweringError(f"its variance is {variance.min():g}, and none is below 0")
    gain = 1.0 / np.sqrt(variance + layer.eps)
    if layer.affine:
        gain = gain * _array(layer.weight)
    bias = (current.bias - _array(layer.running_mean)) * gain
    if layer.affine:
        bias = bias + _array(layer.bias)
    return replace(current, terms=tuple(t.per_channel(gain) for t in current.terms), bias=bias)


@absorb.register(nn.AvgPool1d)
@absorb.register(nn.AvgPool2d)
def _(layer: nn.AvgPool1d | nn.AvgPool2d, value: Any) -> Any:
    _require_frame(layer, value.shape)
    pool = SumPool2d(
        both_axes(layer, layer.kernel_size, 1),
        both_axes(layer, layer.stride, 1),
        both_axes(layer, layer.padding, 0),
    )
    if layer.ceil_mode or (pool.padding != (0, 0) and not layer.count_include_pad):
        raise LoweringError(
            "ceil_mode and count_include_pad=False divide unevenly at borders; leave them at False "
            "and True"
        )
    given = layer.divisor_override if isinstance(layer, nn.AvgPool2d) else None
    return pooled(value, pool, 1.0 / (given or pool.kernel[0] * pool.kernel[1]))


@absorb.register(nn.MaxPool1d)
@absorb.register(nn.MaxPool2d)
def _(layer: nn.MaxPool1d | nn.MaxPool2d, value: Any) -> Any:
    _require_frame(layer, value.shape)
    kernel, stride = both_axes(layer, layer.kernel_size, 1), both_axes(layer, layer.stride, 1)
    padding, dilation = both_axes(layer, layer.padding, 0), both_axes(layer, layer.dilation, 1)
    window = Window(kernel, stride, padding, dilation)
    rests = [
        (n + 2 * p - d * (k - 1) - 1) % s
        for n, k, s, p, d in zip(value.shape[1:], kernel, stride, padding, dilation, strict=True)
    ]
    if layer.return_indices or (layer.ceil_mode and any(rests)):
        raise LoweringError(
            "return_indices gives places, and ceil_mode windows past the border, which an OR of "
            "spikes has not; leave both at False"
        )
    return any_under(value, window)


@absorb.register(nn.AdaptiveAvgPool1d)
@absorb.register(nn.AdaptiveAvgPool2d)
def _(layer: nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d, value: Any) -> Any:
    _require_frame(layer, value.shape)
    size = value.shape[1:]
    asked = both_axes(layer, layer.output_size, 1)
    wanted = tuple(w or s for w, s in zip(asked, size, strict=True))
    if any(s % w for s, w in zip(size, wanted, strict=True)):
        spikes = as_spikes(value)
        if isinstance(spikes, Together):
            raise LoweringError(
                "windows of unequal size take the spikes of one layer, not a sum; choose an output "
                "size that divides the input's"
            )
        rows, columns = (_windows(s, w) for s, w in zip(size, wanted, strict=True))
        return Resampled(spikes.term, (spikes.shape[0], *wanted), rows, columns)
    window = (size[0] // wanted[0], size[1] // wanted[1])
    return pooled(value, SumPool2d(window, window), 1.0 / (window[0] * window[1]))


REASONS = {
    "ReLU": "a real-valued activation has no spikes; use arlif.ARLIF or arlif.LIF",
    "LayerNorm": "it normalizes by the running input; use batch norm, which can be absorbed",
    "RNNBase": "its cells are no spiking neurons; put a spiking neuron that feeds itself there, "
    "arlif.neurons.recurrent.Recurrent(neuron, arlif.layers.Linear(n, n))",
    "GroupNorm": "it normalizes by the running input; use batch norm, which can be absorbed",
}
"""Why a layer is refused, by the name of its class or of one that it derives from."""


NO_COUNTERPART = (
    "it has no integer counterpart; those with one are convolutions, linear layers, batch norm, "
    "pools, sums and spiking neurons"
)


def reason(layer: nn.Module) -> str:
    """Why a layer is refused."""
    known = (REASONS[base.__name__] for base in type(layer).__mro__ if base.__name__ in REASONS)
    return next(known, NO_COUNTERPART)


def _windows(size: int, wanted: int) -> Real:
    """torch's adaptive windows as averages: [wanted, size]."""
    matrix = np.zeros((wanted, size))
    for row in range(wanted):
        first, last = row * size // wanted, -(-(row + 1) * size // wanted)
        matrix[row, first:last] = 1.0 / (last - first)
    return matrix


def _bias(layer: nn.Conv1d | nn.Conv2d | nn.Linear) -> Real | None:
    return None if layer.bias is None else _array(layer.bias)


def _array(tensor: torch.Tensor) -> Real:
    array = tensor.detach().cpu().double().numpy()
    if not np.isfinite(array).all():
        raise LoweringError("its parameters hold NaN or infinity; the training run diverged")
    return array


def _require_frame(layer: nn.Module, shape: Shape) -> None:
    signals = isinstance(layer, SIGNAL_LAYERS)
    if len(shape) != 3 or (signals and shape[1] != 1):
        wanted = "(C, L), also written (C, 1, L)" if signals else "(C, H, W)"
        raise LoweringError(f"needs {wanted}, but receives {shape}")
