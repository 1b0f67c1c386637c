"""Neurons that arlif does not have: what a user might write, and what a trace must stand."""

from typing import Any

from arlif.core.neuron import Neuron, constant, learned


class AdaptiveThreshold(Neuron):
    """LIF whose spikes raise its threshold for a while (Bellec et al. 2018)."""

    state = ("u", "a")
    decay: Any = constant(0.75, 0, 1)
    fade: Any = learned(0.9, 0, 1, per="channel")
    rise: Any = learned(0.4, 0)
    threshold: Any = constant(1.0)

    def raised(self, ops: Any, a: Any) -> Any:
        return self.rise * a + ops.exp(-a * a)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        s = ops.fire(h, self.threshold + ops.lookup(self.raised, state.a))
        a = ops.saturate(ops.multiply(state.a, self.fade) + ops.select(s, 1, 0))
        return s, (ops.saturate(h - ops.select(s, self.threshold, 0)), a)


class Bursting(Neuron):
    """Three states, one of them the last spike; every operation that reals know."""

    state = ("u", "w", "last")
    decay: Any = learned(0.5, 0, 1, per="neuron")
    slope: Any = learned(1.5, 0.5)
    threshold: Any = learned(0.75)

    def pull(self, ops: Any, w: Any) -> Any:
        return ops.tanh(self.slope * w) / (1 + ops.exp(-w * w)) - 2 / self.slope

    def keep(self, ops: Any, u: Any) -> Any:
        return 1 - ops.sigmoid(u * self.slope)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        u, w, last = state
        kept = ops.lookup(self.keep, u)
        h = ops.saturate(ops.multiply(u, ops.where(w >= 0, kept, 1 - kept)) - (x - last))
        s = ops.fire(h - ops.lookup(self.pull, w), self.threshold - last)
        w = ops.saturate(ops.select(s, -h, ops.multiply(w, self.decay)) - ops.select(s, 0, h))
        return s, (
            ops.select(s, ops.multiply(h - self.threshold, self.decay), -u),
            w,
            ops.select(s, 1, 0),
        )


class Explosive(Neuron):
    """What its spikes choose is infinite now and then, though the potential is not."""

    state = ("u",)
    decay: Any = learned(0.5, 0, 1)
    threshold: Any = constant(1.0)

    def blast(self, ops: Any, x: Any) -> Any:
        return ops.exp(1000 * x)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        h = ops.saturate(ops.multiply(state.u, self.decay) + ops.multiply(x, 0.25))
        s = ops.fire(h, self.threshold)
        return s, (ops.select(s, ops.lookup(self.blast, x), h),)
