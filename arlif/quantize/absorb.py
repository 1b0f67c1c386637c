"""What each torch layer means to spikes and currents: the mapping rules, one function a layer."""

from dataclasses import dataclass, replace
from functools import reduce, singledispatch
from typing import Any

import numpy as np
import torch
from torch import nn

from arlif.base.errors import LoweringError, require
from arlif.core.maps import Shape, SumPool2d
from arlif.core.network import INPUT
from arlif.layers import Delay, both_axes
from arlif.quantize.linearized import Current, Real, RealConv2d, RealDense, Term


@dataclass(frozen=True)
class Spikes:
    """What a node sends, perhaps pooled: the only thing that weights may be applied to."""

    term: Term
    shape: Shape


@dataclass(frozen=True)
class Resampled(Spikes):
    """Spikes averaged over windows of unequal size, which only a Linear layer can take up.

    rows: real [H', H], columns: real [W', W], each row the weights of one window.
    """

    rows: Real
    columns: Real


@singledispatch
def absorb(layer: nn.Module, value: Any) -> Any:
    """The value behind a layer; raises LoweringError where it has no integer counterpart."""
    raise LoweringError(reason(layer))


@absorb.register(nn.Identity)
@absorb.register(nn.Dropout)
@absorb.register(nn.Dropout2d)
def _(layer: nn.Module, value: Any) -> Any:
    return value


@absorb.register
def _(layer: nn.Sequential, value: Any) -> Any:
    return reduce(lambda at, part: absorb(part, at), layer, value)


@absorb.register
def _(layer: Delay, value: Any) -> Any:
    return delayed(value, layer.steps)


@absorb.register(nn.Flatten)
def _(layer: nn.Flatten, value: Any) -> Any:
    return flatten(value)


@absorb.register
def _(layer: nn.Conv2d, value: Any) -> Any:
    spikes = as_spikes(value)
    if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        raise LoweringError("only numeric zero padding is supported; give padding as numbers")
    _require_frame(spikes.shape)
    weights = RealConv2d(
        _array(layer.weight),
        both_axes(layer.stride),
        both_axes(layer.padding),
        both_axes(layer.dilation),
        layer.groups,
    )
    if layer.in_channels != spikes.shape[0]:
        raise LoweringError(f"takes {layer.in_channels} channels but receives shape {spikes.shape}")
    return _weigh(spikes, weights, layer.bias)


@absorb.register
def _(layer: nn.Linear, value: Any) -> Any:
    if value.shape != (layer.in_features,):
        raise LoweringError(
            f"takes {layer.in_features} features but receives shape {value.shape}; "
            "put Flatten before it"
        )
    weight = _array(layer.weight)
    if isinstance(value, Current):
        return _fold(value, weight, layer.bias)
    if isinstance(value, Resampled):
        shape = (len(weight), -1, len(value.rows), len(value.columns))
        weight = np.einsum("ocij,ih,jw->ochw", weight.reshape(shape), value.rows, value.columns)
    return _weigh(value, RealDense(weight.reshape(len(weight), -1)), layer.bias)


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
    gain = 1.0 / np.sqrt(_array(layer.running_var) + layer.eps)
    if layer.affine:
        gain = gain * _array(layer.weight)
    bias = (current.bias - _array(layer.running_mean)) * gain
    if layer.affine:
        bias = bias + _array(layer.bias)
    return replace(current, terms=tuple(t.per_channel(gain) for t in current.terms), bias=bias)


@absorb.register
def _(layer: nn.AvgPool2d, value: Any) -> Any:
    pool = SumPool2d(
        both_axes(layer.kernel_size), both_axes(layer.stride), both_axes(layer.padding)
    )
    if layer.ceil_mode or (pool.padding != (0, 0) and not layer.count_include_pad):
        raise LoweringError(
            "ceil_mode and count_include_pad=False divide unevenly at borders; leave them at False "
            "and True"
        )
    area = layer.divisor_override or pool.kernel[0] * pool.kernel[1]
    return _pool(value, pool, 1.0 / area)


@absorb.register
def _(layer: nn.AdaptiveAvgPool2d, value: Any) -> Any:
    _require_frame(value.shape)
    size = value.shape[1:]
    wanted = tuple(w or s for w, s in zip(both_axes(layer.output_size), size, strict=True))
    if any(s % w for s, w in zip(size, wanted, strict=True)):
        spikes = as_spikes(value)
        rows, columns = (_windows(s, w) for s, w in zip(size, wanted, strict=True))
        return Resampled(spikes.term, (spikes.shape[0], *wanted), rows, columns)
    window = (size[0] // wanted[0], size[1] // wanted[1])
    return _pool(value, SumPool2d(window, window), 1.0 / (window[0] * window[1]))


REASONS = {
    "MaxPool2d": "max pooling of graded values is not linear; use arlif.layers.AvgPool2d",
    "ReLU": "a real-valued activation has no spikes; use arlif.ARLIF or arlif.LIF",
    "LayerNorm": "it normalizes by the running input; use batch norm, which can be absorbed",
    "GroupNorm": "it normalizes by the running input; use batch norm, which can be absorbed",
}
"""Why a layer is refused, by the name of its class or of one that it derives from."""


def reason(layer: nn.Module) -> str:
    """Why a layer is refused."""
    known = (REASONS[base.__name__] for base in type(layer).__mro__ if base.__name__ in REASONS)
    return next(known, "it has no integer counterpart")


def as_spikes(value: Any) -> Spikes:
    """The value as spikes; a real-valued stream is refused."""
    if isinstance(value, Current):
        raise LoweringError(
            "its input is a real-valued stream, not spikes; put a neuron in front of it"
        )
    _require_even(value)
    spikes: Spikes = value
    return spikes


def as_current(value: Any) -> Current:
    """The value as a sum of weighted terms; bare spikes get identity weights."""
    if isinstance(value, Current):
        return value
    _require_even(value)
    channels = value.shape[0]
    identity: RealConv2d | RealDense = RealDense(np.eye(channels))
    if len(value.shape) == 3:
        identity = RealConv2d(np.ones((channels, 1, 1, 1)), (1, 1), (0, 0), (1, 1), channels)
    return Current((value.term.weighted(identity),), np.zeros(channels), value.shape)


def _weigh(spikes: Spikes, weights: RealConv2d | RealDense, bias: torch.Tensor | None) -> Current:
    shape = weights.output_shape(spikes.shape)
    offset = np.zeros(shape[0]) if bias is None else _array(bias)
    return Current((spikes.term.weighted(weights),), offset, shape)


def _fold(current: Current, weight: Real, bias: torch.Tensor | None) -> Current:
    """A Linear layer behind a current of features, whose weights are all dense."""
    terms = tuple(
        replace(term, weights=RealDense(weight @ term.synapses.weight)) for term in current.terms
    )
    offset = weight @ current.bias + (0.0 if bias is None else _array(bias))
    return Current(terms, offset, offset.shape)


def _pool(value: Any, pool: SumPool2d, factor: float) -> Any:
    shape = pool.output_shape(value.shape)
    _require_even(value)
    if isinstance(value, Spikes):
        return Spikes(value.term.pooled(pool, factor), shape)
    if pool.padding != (0, 0):
        raise LoweringError(
            "padded pooling of currents mixes the bias with zeros; pool without padding, or pool "
            "spikes, behind the neuron"
        )
    terms = tuple(term.pooled(pool, factor) for term in value.terms)
    area = factor * pool.kernel[0] * pool.kernel[1]
    return Current(terms, value.bias * area, shape)


def _require_even(value: Any) -> None:
    if isinstance(value, Resampled):
        raise LoweringError(
            "adaptive pooling with windows of unequal size must be followed by Flatten and Linear; "
            "choose an output size that divides the input's"
        )


def _windows(size: int, wanted: int) -> Real:
    """torch's adaptive windows as averages: [wanted, size]."""
    matrix = np.zeros((wanted, size))
    for row in range(wanted):
        first, last = row * size // wanted, -(-(row + 1) * size // wanted)
        matrix[row, first:last] = 1.0 / (last - first)
    return matrix


def delayed(value: Any, steps: int) -> Any:
    """Spikes that arrive so many time steps later. Raises LoweringError where a current would."""
    if steps == 0:
        return value
    require(
        isinstance(value, Spikes),
        "a current cannot wait, since its bias does not; put the delay in front of the weights",
        LoweringError,
    )
    return replace(value, term=replace(value.term, delay=value.term.delay + steps))


def flatten(value: Any) -> Any:
    """(C, H, W) to (C H W,)."""
    features = (int(np.prod(value.shape)),)
    if isinstance(value, Current) and value.shape != features:
        if value.shape[1:] != (1, 1):
            raise LoweringError("flatten spikes, not currents: put Flatten behind the neuron")
        return replace(value, terms=tuple(map(_dense, value.terms)), shape=features)
    return replace(value, shape=features)


def _dense(term: Term) -> Term:
    """A term whose 1 x 1 convolution is pooled to one pixel: the pools first, then a matrix."""
    conv = term.synapses
    assert isinstance(conv, RealConv2d)
    geometry = (conv.weight.shape[2:], conv.stride, conv.padding, conv.groups)
    if geometry != ((1, 1), (1, 1), (0, 0), 1):
        raise LoweringError(
            "only a 1 x 1 convolution may be pooled and flattened; pool spikes, flatten them and "
            "end with a Linear layer"
        )
    pools = (*term.before, *term.after)
    return replace(term, before=pools, weights=RealDense(conv.weight[:, :, 0, 0]), after=())


def add(a: Current, b: Current) -> Current:
    """Two branches that meet; they share one accumulator."""
    if a.shape != b.shape:
        raise LoweringError(f"adds shapes {a.shape} and {b.shape}, which differ")
    return Current((*a.terms, *b.terms), a.bias + b.bias, a.shape)


def _array(tensor: torch.Tensor) -> Real:
    array = tensor.detach().cpu().double().numpy()
    if not np.isfinite(array).all():
        raise LoweringError("its parameters hold NaN or infinity; the training run diverged")
    return array


def _require_frame(shape: Shape) -> None:
    if len(shape) != 3:
        raise LoweringError(f"needs (C, H, W), but receives {shape}")
