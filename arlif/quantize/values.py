"""What flows between layers: spikes, which weights are applied to, and currents, their sums."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from arlif.base.errors import LoweringError, require
from arlif.core.maps import Shape
from arlif.quantize.linearized import Current, Real, RealConv2d, RealDense, Term


@dataclass(frozen=True)
class Spikes:
    """What a node sends, perhaps pooled: the only thing that weights may be applied to."""

    term: Term
    shape: Shape


@dataclass(frozen=True)
class Scaled(Spikes):
    """Spikes times a number for each place, factor [*shape], which the weights behind take up."""

    factor: Real


@dataclass(frozen=True)
class Resampled(Spikes):
    """Spikes averaged over windows of unequal size, which only a Linear layer can take up.

    rows: real [H', H], columns: real [W', W], each row the weights of one window.
    """

    rows: Real
    columns: Real


@dataclass(frozen=True)
class Together:
    """Spikes that are added before weights, as around a residual block: `parts`, two or more."""

    parts: tuple[Spikes, ...]

    @property
    def shape(self) -> Shape:
        """The shape of every part, and of their sum."""
        return self.parts[0].shape

    def each(self, change: Callable[[Spikes], Spikes]) -> "Together":
        """The sum of what `change` makes of every part."""
        return Together(tuple(map(change, self.parts)))


@dataclass(frozen=True)
class Totals(Current):
    """Sums over time of potentials that end a network. what: of which. steps: their slowest tau."""

    what: str
    steps: float


@dataclass(frozen=True)
class Stretched(Current):
    """A current that is still to be multiplied by a factor for each neuron, an array of `shape`.

    Weights are one for each channel, so only a neuron can take it up: see arlif.quantize.taken_up.
    """

    factor: Real


@dataclass(frozen=True)
class Stepped(Current):
    """A current that is still to be multiplied by gains[t] at time step t, by a neuron."""

    gains: Real


def as_spikes(value: Any) -> Spikes | Together:
    """The value as spikes or a sum of them; a real-valued stream is refused."""
    if isinstance(value, Current):
        raise LoweringError(
            "its input is a real-valued stream, not spikes; put a neuron in front of it"
        )
    require_even(value)
    spikes: Spikes | Together = value
    return spikes


def parts_of(spikes: Spikes | Together) -> tuple[Spikes, ...]:
    """The spikes that are added; themselves where there is no sum."""
    return spikes.parts if isinstance(spikes, Together) else (spikes,)


def as_current(value: Any) -> Current:
    """The value as a sum of weighted terms; bare spikes get identity weights."""
    require_even(value)
    return as_drive(value)


def as_drive(value: Any) -> Current:
    """The same for what a neuron receives, which may be Stretched."""
    if isinstance(value, Current):
        return value
    if isinstance(value, Together):
        return reduce(_sum, map(as_current, value.parts))
    require_even(value)
    channels = value.shape[0]
    identity: RealConv2d | RealDense = RealDense(np.eye(channels))
    if len(value.shape) == 3:
        identity = RealConv2d(np.ones((channels, 1, 1, 1)), (1, 1), (0, 0), (1, 1), channels)
    current = Current((value.term.weighted(identity),), np.zeros(channels), value.shape)
    return stretched(current, value.factor) if isinstance(value, Scaled) else current


def weigh(spikes: Spikes | Together, weights: RealConv2d | RealDense, bias: Real | None) -> Current:
    """Spikes behind weights; of a sum, every part has the same."""
    shape = weights.output_shape(spikes.shape)
    offset = np.zeros(shape[0]) if bias is None else bias
    terms = tuple(part.term.weighted(_taking_up(weights, part)) for part in parts_of(spikes))
    return Current(terms, offset, shape)


def _taking_up(weights: RealConv2d | RealDense, part: Spikes) -> RealConv2d | RealDense:
    """Weights times the factors of what they are applied to."""
    if not isinstance(part, Scaled):
        return weights
    if isinstance(weights, RealDense):
        return RealDense(weights.weight * part.factor.ravel())
    rows = channels_of(part.factor, part.shape).reshape(weights.groups, -1)
    by_output = np.repeat(rows, len(weights.weight) // weights.groups, axis=0)
    return replace(weights, weight=weights.weight * by_output[:, :, None, None])


def fold(current: Current, weight: Real, bias: Real | None) -> Current:
    """A Linear layer behind a current of features, whose weights are all dense."""
    terms = tuple(
        replace(term, weights=RealDense(weight @ term.synapses.weight)) for term in current.terms
    )
    offset = weight @ current.bias + (0.0 if bias is None else bias)
    return replace(current, terms=terms, bias=offset, shape=offset.shape)


def require_even(value: Any) -> None:
    """Raise LoweringError where something multiplied a value that weights cannot take up."""
    reason = next((r for kind, r in _NOT_TAKEN_UP.items() if isinstance(value, kind)), "")
    require(not reason, reason, LoweringError)


_NOT_TAKEN_UP = {
    Resampled: "adaptive pooling with windows of unequal size must be followed by Flatten and "
    "Linear; choose an output size that divides the input's",
    Stretched: "constants that differ within a channel multiplied its input, and weights are one "
    "for each; only a neuron, directly behind them, can take them up: make them equal",
    Stepped: "only a neuron, directly behind StepGain, can take up its gains",
}


def stepped(value: Any, gains: Real) -> Current:
    """A current times a gain for each time step."""
    current = as_current(value)
    if (gains == gains[0]).all():
        return current.scaled(float(gains[0]))
    return Stepped(current.terms, current.bias, current.shape, gains)


def delayed(value: Any, steps: int) -> Any:
    """Spikes that arrive so many time steps later. Raises LoweringError where a current would."""
    if steps == 0:
        return value
    if isinstance(value, Together):
        return value.each(lambda part: delayed(part, steps))
    if isinstance(value, Spikes):
        return replace(value, term=replace(value.term, delay=value.term.delay + steps))
    require(
        not value.bias.any(),
        "a current cannot wait, since its bias does not; put the delay in front of the weights",
        LoweringError,
    )
    terms = tuple(replace(term, delay=term.delay + steps) for term in value.terms)
    return replace(value, terms=terms)


def flatten(value: Any) -> Any:
    """(C, H, W) to (C H W,)."""
    if isinstance(value, Together):
        return value.each(flatten)
    features = (int(np.prod(value.shape)),)
    if isinstance(value, Current) and value.shape != features:
        if value.shape[1:] != (1, 1):
            raise LoweringError("flatten spikes, not currents: put Flatten behind the neuron")
        return replace(value, terms=tuple(map(_dense, value.terms)), shape=features)
    if isinstance(value, Scaled):
        return replace(value, shape=features, factor=value.factor.reshape(features))
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


def scaled(value: Any, factor: float) -> Any:
    """Spikes or a current times a number."""
    if isinstance(value, Current):
        return value.scaled(factor)
    if isinstance(value, Together):
        return value.each(lambda part: scaled(part, factor))
    return replace(value, term=replace(value.term, scale=value.term.scale * factor))


def multiplied(value: Any, factor: Real) -> Any:
    """Spikes or a current times numbers that broadcast against a sample."""
    if isinstance(value, Together):
        return value.each(lambda part: multiplied(part, factor))
    if not isinstance(value, Spikes) or isinstance(value, Resampled):
        return stretched(as_drive(value), factor)
    before = value.factor if isinstance(value, Scaled) else 1.0
    return Scaled(value.term, value.shape, before * spread(factor, value.shape))


def stretched(current: Current, factor: Real) -> Current:
    """A current times a factor for each channel or neuron."""
    if factor.shape != current.shape or _alike(factor):
        return per_channel(current, factor)
    require(
        not isinstance(current, Totals),
        "membrane potentials that end a network take one factor for each channel",
        LoweringError,
    )
    before = current.factor if isinstance(current, Stretched) else 1.0
    return Stretched(current.terms, current.bias, current.shape, before * factor)


def _alike(values: Real) -> bool:
    """Whether every channel has one value."""
    rows = values.reshape(len(values), -1)
    return bool((rows == rows[:, :1]).all())


def per_channel(current: Current, factor: Real) -> Current:
    """A current times a factor for each channel."""
    channels = channels_of(factor, current.shape)
    terms = tuple(term.per_channel(channels) for term in current.terms)
    return replace(current, terms=terms, bias=current.bias * channels)


def channels_of(values: Real, shape: Shape) -> Real:
    """Constants of a layer as one for each channel; LoweringError where they differ within one."""
    every = spread(values, shape).reshape(shape[0], -1)
    require(
        bool((every == every[:, :1]).all()),
        "its constants differ within a channel, and weights are one for each; make them equal",
        LoweringError,
    )
    return every[:, 0].copy()


def spread(values: Real, shape: Shape) -> Real:
    """Constants of a layer as one for each place. Raises LoweringError where they do not fit."""
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise LoweringError(f"constants {values.shape} do not fit what has shape {shape}") from None


def add(a: Any, b: Any) -> Current | Together:
    """Two branches that meet: spikes stay spikes, so that weights may follow."""
    if a.shape != b.shape:
        raise LoweringError(f"adds shapes {a.shape} and {b.shape}, which differ")
    if isinstance(a, Current) or isinstance(b, Current):
        return _sum(as_drive(a), as_drive(b))
    return Together((*parts_of(as_spikes(a)), *parts_of(as_spikes(b))))


def _sum(a: Current, b: Current) -> Current:
    """Two currents that share one accumulator."""
    terms, bias = (*a.terms, *b.terms), a.bias + b.bias
    if isinstance(a, Stretched) and isinstance(b, Stretched) and np.array_equal(a.factor, b.factor):
        return Stretched(terms, bias, a.shape, a.factor)
    require_even(a)
    require_even(b)
    if ends := [part for part in (a, b) if isinstance(part, Totals)]:
        return replace(max(ends, key=lambda end: end.steps), terms=terms, bias=bias)
    return Current(terms, bias, a.shape)
