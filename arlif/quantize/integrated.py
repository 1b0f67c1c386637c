"""Membrane potentials of integrators: what flows behind arlif.layers.Integrator.

An integrator with one decay commutes with everything linear, so layers behind it act on what drives
it. Neurons take it up as their synaptic current, i = k_i i + x; at the end it is a weighting of
sums over time.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from arlif.base.errors import LoweringError, require
from arlif.core.maps import Shape
from arlif.quantize.linearized import Current, Real
from arlif.quantize.values import (
    Spikes,
    Together,
    Totals,
    add,
    as_current,
    as_drive,
    channels_of,
    per_channel,
    spread,
)


@dataclass(frozen=True)
class Integrated:
    """Potentials v = decay v + i + leak, i = current_decay i + drive, and `behind` is added to v.

    decay, current_decay: one number [], or one for each place [*shape]; one alone is `decay`.
    behind, leak: for each channel, in the unit of `drive`.
    """

    drive: Spikes | Together | Current
    decay: Real
    behind: Real
    current_decay: Real
    leak: Real

    @property
    def shape(self) -> Shape:
        """The shape of what drives the integrators, and of their potentials."""
        return self.drive.shape

    @property
    def reads_last(self) -> bool:
        """Whether nothing leaks, so that the last potential is the answer of a network."""
        return bool((self.decay == 1).all())

    @property
    def alike(self) -> bool:
        """Whether all places have one decay, so that weights commute with it."""
        return self.decay.ndim == self.current_decay.ndim == 0


def integrate(value: Any, decay: Real, leak: Real, current_decay: Real) -> Any:
    """What integrators make of spikes or a current; the constants broadcast against a sample.

    Raises LoweringError for what other integrators gave and for currents that never decay.
    """
    require(
        not isinstance(value, Integrated | Totals),
        "it integrates what other integrators gave; make both one layer, Integrator(decay, leak, "
        "current_decay), which is NIR's CubaLI, or put a neuron between them",
        LoweringError,
    )
    if leak.any():
        value = as_current(value)
    elif not isinstance(value, Spikes | Together):
        value = as_drive(value)
    decay, current_decay = _per_place(decay, value.shape), _per_place(current_decay, value.shape)
    nothing = np.zeros(value.shape[0])
    leaks = channels_of(leak, value.shape) if leak.any() else nothing
    if current_decay.any() and not decay.any():
        return Integrated(value, current_decay, leaks, decay, nothing)
    if current_decay.any():
        require(
            bool((current_decay < 1).all()),
            "its currents never decay; give a current_decay below 1",
            LoweringError,
        )
        return Integrated(value, decay, nothing, current_decay, leaks)
    if leak.any():
        value = replace(value, bias=value.bias + leaks)
    if not decay.any():
        return value
    return Integrated(value, decay, nothing, current_decay, nothing)


def mapped(change: Callable[[Any], Any], value: Any, mixes: bool = True) -> Any:
    """What a linear layer, `change`, makes of a value; of potentials it changes what drives them.

    mixes: whether it adds up places, whose decays must then be one. Where they are not, what it
    gives may only end a network.
    """
    if not isinstance(value, Integrated):
        return change(value)
    if mixes and not value.alike:
        require(
            not value.reads_last,
            "weights mix integrators whose currents decay differently; give all one current_decay",
            LoweringError,
        )
        return change(totals(value, "of unequal decays, which weights mix"))
    drive = value.drive
    after = change(drive)
    if isinstance(drive, Current):
        constant = change(replace(drive, bias=np.zeros_like(drive.bias))).bias
        behind = change(replace(drive, bias=value.behind)).bias
        leak = change(replace(drive, bias=value.leak)).bias - constant
        after = replace(after, bias=after.bias - constant)
    elif isinstance(after, Current):
        behind, leak = after.bias, np.zeros_like(after.bias)
        after = replace(after, bias=leak)
    else:
        behind = leak = np.zeros(after.shape[0])
    decay, current_decay = (
        d.reshape(after.shape) if d.ndim else d for d in (value.decay, value.current_decay)
    )
    return Integrated(after, decay, behind, current_decay, leak)


def join(a: Any, b: Any) -> Any:
    """Two branches that meet."""
    if not isinstance(a, Integrated) and not isinstance(b, Integrated):
        return add(a, b)
    if isinstance(a, Integrated) and isinstance(b, Integrated) and _same_decays(a, b):
        behind, leak = a.behind + b.behind, a.leak + b.leak
        return replace(a, drive=add(a.drive, b.drive), behind=behind, leak=leak)
    both = [v for v in (a, b) if isinstance(v, Integrated)]
    require(
        not any(v.reads_last for v in both),
        "potentials that never decay meet other values, and their last is read, of others the "
        "mean; add them up in front of one integrator",
        LoweringError,
    )
    return add(*(totals(v, "and of other values, added up") for v in (a, b)))


def totals(value: Any, what: str = "") -> Any:
    """The sum over long times of potentials, as a current; other values as they are.

    what: says of which potentials, for those who are told that they may only end a network.
    """
    if not isinstance(value, Integrated):
        return value
    require(
        not value.reads_last or not value.behind.any(),
        "a bias behind integrators that never leak is added once, and a readout's at every time "
        "step; put it in front of the integrators, or leave it out",
        LoweringError,
    )
    kept = np.array(1.0) if value.reads_last else 1 / (1 - value.decay)
    current = per_channel(as_current(value.drive), kept / (1 - value.current_decay))
    leak = value.leak * channels_of(kept, value.shape) if value.leak.any() else 0.0
    steps = 0.0 if value.reads_last else float(np.max(kept + 1 / (1 - value.current_decay) - 1))
    return Totals(current.terms, current.bias + leak + value.behind, current.shape, what, steps)


def _same_decays(a: Integrated, b: Integrated) -> bool:
    same = np.array_equal(a.decay, b.decay)
    return same and np.array_equal(a.current_decay, b.current_decay)


def _per_place(values: Real, shape: Shape) -> Real:
    """One number where all are equal, else one for each place."""
    every = spread(values, shape)
    return np.array(every.flat[0]) if (every == every.flat[0]).all() else every
