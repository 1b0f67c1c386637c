"""Neurons whose current has a gain for each time step: what a norm with such gains becomes.

Which step it is, a state variable counts; the gain is a function of it, which integers read from a
table. So it needs nothing that other neurons do not need.
"""

from collections.abc import Sequence
from functools import cache
from math import floor, log2
from typing import Any, ClassVar

from arlif.base.errors import LoweringError, require
from arlif.core.integer_neurons import Numbers
from arlif.core.neuron import Neuron, learned
from arlif.core.ops import Ops, Value
from arlif.core.steps import After

COUNTER = "now"
REACH = 4.0
"""The counter stays below it, and so inside the tables of every preset."""
MOST_GAINS = 256
"""More would not be a step of at most arlif.core.graph.MOST_NODES operations."""


class SteppedNeuron(Neuron):
    """x[t] = saturate(gain[t] x[t]), then the step of another neuron; now counts time steps.

    Later steps than there are gains have the last one. of: the other neuron's class. tick: what
    the counter grows by, a power of two. Subclasses are made by `with_step_gains`.
    """

    of: ClassVar[type[Neuron]]
    gains: ClassVar[tuple[str, ...]]
    tick: ClassVar[float]

    def step_gain(self, ops: Any, now: Any) -> Any:
        """gain[now / tick]"""
        gain = getattr(self, self.gains[0])
        for step, name in enumerate(self.gains[1:], 1):
            gain = ops.where(now >= step * self.tick, getattr(self, name), gain)
        return gain

    def step(self, ops: Ops, state: Any, x: Value) -> After:
        now, *others = state
        gained = ops.saturate(ops.multiply(x, ops.lookup(self.step_gain, now)))
        spikes, after = self.of.step(self, ops, self.of.state_type(*others), gained)
        return spikes, (ops.saturate(now + self.tick), *after)


def with_step_gains(neuron: Neuron, gains: Sequence[float]) -> SteppedNeuron:
    """A neuron with its constants, whose current is multiplied by gains[t] at step t.

    The gains learn. Raises LoweringError for more than MOST_GAINS.
    """
    require(
        1 <= len(gains) <= MOST_GAINS,
        f"a neuron takes up to {MOST_GAINS} gains, one a time step, not {len(gains)}; use a plain "
        "batch norm",
        LoweringError,
    )
    own: Any = type(neuron)
    kind = _stepped(own, len(gains))
    values = dict(zip(kind.gains, map(float, gains), strict=True))
    found: SteppedNeuron = kind(**neuron.constants(), **neuron.flags(), **values)
    return found


@cache
def _stepped(kind: type[Neuron], count: int) -> type[SteppedNeuron]:
    names = tuple(f"gain{step}" for step in range(count))
    own = {
        "__annotations__": dict.fromkeys(names, Any),
        "state": (COUNTER, *kind().variables),
        "of": kind,
        "gains": names,
        "tick": 2.0 ** floor(log2(REACH / count)),
        **{name: learned(1.0) for name in names},
    }
    return type(f"Stepped{kind.__name__.removeprefix('Real')}", (SteppedNeuron, kind), own)


def require_told_apart(neuron: Neuron, numbers: Numbers) -> None:
    """Raise LoweringError where tables of such numbers give two time steps one gain."""
    if not isinstance(neuron, SteppedNeuron):
        return
    domain, count = numbers.tables, len(neuron.gains)
    cell = (domain.high - domain.low) / domain.entries
    require(
        cell <= neuron.tick and (count - 1) * neuron.tick < domain.high,
        f"a gain for each of {count} time steps needs tables with a cell for each, of "
        f"{neuron.tick:g}, up to {(count - 1) * neuron.tick:g}; theirs are {cell:g} wide, up to "
        f"{domain.high:g}: give tables more entries, or train with fewer time steps",
        LoweringError,
    )
