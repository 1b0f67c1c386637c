"""What pools over windows make of spikes and currents: averages of both, and the OR of spikes."""

from dataclasses import replace
from typing import Any

import numpy as np

from arlif.base.errors import LoweringError, require
from arlif.core.maps import SumPool2d, Window
from arlif.quantize.integrated import Integrated
from arlif.quantize.linearized import Current
from arlif.quantize.values import (
    Resampled,
    Scaled,
    Spikes,
    Together,
    Totals,
    channels_of,
    multiplied,
    require_even,
)

_NOT_POSITIVE = (
    "the largest of spikes times a number below 0 is not their OR; scale behind the pool"
)


def pooled(value: Any, pool: SumPool2d, factor: float) -> Any:
    """Spikes or a current behind a pooling layer, times a factor."""
    if isinstance(value, Together):
        return value.each(lambda part: pooled(part, pool, factor))
    shape = pool.output_shape(value.shape)
    require_even(value)
    if isinstance(value, Scaled):
        channels = channels_of(value.factor, value.shape)
        return multiplied(
            pooled(Spikes(value.term, value.shape), pool, factor), channels[:, None, None]
        )
    if isinstance(value, Spikes):
        return Spikes(value.term.pooled(pool, factor), shape)
    if pool.padding != (0, 0):
        raise LoweringError(
            "padded pooling of currents mixes the bias with zeros; pool without padding, or pool "
            "spikes, behind the neuron"
        )
    terms = tuple(term.pooled(pool, factor) for term in value.terms)
    area = factor * pool.kernel[0] * pool.kernel[1]
    return replace(value, terms=terms, bias=value.bias * area, shape=shape)


def any_under(value: Any, window: Window) -> Any:
    """The OR of spikes over windows; LoweringError on anything else than spikes."""
    cure = "put it behind the neuron, whose spikes are 0 or 1, or use an average pool, and train so"
    for kind, what in ((Integrated | Totals, "membrane potentials"), (Current, "currents")):
        require(
            not isinstance(value, kind),
            f"max pooling of {what} is not linear; {cure}",
            LoweringError,
        )
    require(
        not isinstance(value, Together),
        "max pooling of a sum of spikes is no OR; pool each branch, or put a neuron behind the sum",
        LoweringError,
    )
    require(
        not isinstance(value, Resampled) and not value.term.before,
        "max pooling of averages is not linear; put it in front of the average, or average twice",
        LoweringError,
    )
    if isinstance(value, Scaled):
        channels = channels_of(value.factor, value.shape)
        require(bool((channels > 0).all()), _NOT_POSITIVE, LoweringError)
        return multiplied(
            any_under(Spikes(value.term, value.shape), window), channels[:, None, None]
        )
    require(
        value.term.scale > 0,
        _NOT_POSITIVE,
        LoweringError,
    )
    shape = (value.shape[0], *window.output_size(value.shape))
    covered = window.largest(np.ones((1, 1, *value.shape[1:]), np.int8))
    require(
        bool(covered.all()),
        f"{window} has places where nothing of (H, W) = {value.shape[1:]} lies under it, of which "
        "torch's largest is -inf; use less padding",
        LoweringError,
    )
    return Spikes(replace(value.term, pools=(*value.term.pools, window)), shape)
