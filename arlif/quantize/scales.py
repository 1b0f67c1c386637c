"""How large one raw weight is, and by how much branches are shifted against each other."""

import numpy as np

from arlif.quantize.linearized import Real

BRANCH_SHIFT_MAX = 12
"""Of a branch that is larger than others: rounding its weights then errs by more than they hold."""
CLIPPED_MAX = 15
"""Weights of at most 5 bits may be clipped; of more, rounding to the largest loses little."""
CLIP_FRACTIONS = np.linspace(1.0, 0.3, 15)
"""Steps that are tried, relative to the one that clips nothing."""


def weight_step(weights: list[Real], weight_max: int) -> Real:
    """The real value of one raw weight, per channel, that all weights [C, ...] of a node share.

    The largest weight becomes weight_max, unless few bits are left: then the large ones are clipped
    as far as the sum of squared rounding errors falls.
    """
    largest = np.max([_peak(w) for w in weights], axis=0) / weight_max
    if weight_max > CLIPPED_MAX:
        return largest
    steps = np.multiply.outer(CLIP_FRACTIONS, largest)
    errors = [[_rounding_error(w, step, weight_max) for w in weights] for step in steps]
    best = np.sum(errors, axis=1).argmin(axis=0)
    return steps[best, np.arange(len(largest))]


def branch_shifts(weights: list[Real]) -> list[int]:
    """Left shifts that let projections of different magnitude share one accumulator unit."""
    typical = [float(np.median(_peak(w))) or float(_peak(w).max()) or 1.0 for w in weights]
    return [int(min(np.log2(t) - np.log2(min(typical)), BRANCH_SHIFT_MAX)) for t in typical]


def _rounding_error(weight: Real, step: Real, weight_max: int) -> Real:
    """Sum of squared errors per channel of weights [C, ...] in whole steps [C]."""
    rows, step = weight.reshape(len(weight), -1), np.where(step > 0, step, 1.0)[:, None]
    raw = np.clip(np.rint(rows / step), -weight_max, weight_max)
    return ((rows - raw * step) ** 2).sum(1)


def _peak(weight: Real) -> Real:
    return np.abs(weight.reshape(len(weight), -1)).max(1)
