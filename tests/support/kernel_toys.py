"""Neurons that no kernel was written for: what printers must know beside the neurons of arlif."""

from typing import Any

from arlif.core.neuron import Neuron, constant, learned


class Divided(Neuron):
    """One state; a threshold with a quotient and an exponential, a learned number inside both."""

    state = ("u",)
    decay: Any = constant(0.5, low=0, high=1)
    threshold: Any = constant(1.0)
    slope: Any = learned(0.75, low=0.1, high=4)
    shift: Any = constant(0.0)

    def theta(self, ops, x):
        return self.threshold + ops.exp(-self.slope * x * x) / (2 + self.slope)

    def drive(self, ops, x):
        return x / (1 + ops.exp(-x)) - x / 4 + self.shift

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, self.decay) + ops.lookup(self.drive, x))
        theta = ops.lookup(self.theta, x)
        s = ops.fire(h, theta)
        return s, (ops.saturate(h - ops.select(s, theta, 0)),)


class Twofold(Neuron):
    """Two states, two thresholds, choices inside of choices; constants of each channel."""

    state = ("u", "w")
    decay: Any = constant(0.5, low=0, high=1)
    threshold: Any = constant(1.0, per="channel")
    leak: Any = learned(0.5, low=-1, high=1, per="channel")
    gain: Any = learned(0.5)

    def soft(self, ops, w):
        return ops.tanh(self.gain * w)

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, self.decay) + x - ops.lookup(self.soft, state.w))
        early = ops.fire(h, self.threshold - 0.375)
        s = ops.fire(h, self.threshold)
        kept = ops.where(h >= 0, ops.multiply(h, self.leak), -ops.multiply(h, self.leak))
        u = ops.select(early, ops.select(s, kept, h - 0.25), h)
        w = ops.saturate(
            ops.multiply(state.w, self.leak) + ops.select(s, 1, ops.select(early, 0.5, 0))
        )
        return s, (ops.saturate(u), w)


class Threefold(Neuron):
    """Three states, sigmoids that wait for one another, spikes that are counted."""

    state = ("u", "fast", "slow")
    decay: Any = constant(0.5, low=0, high=1, per="neuron")
    threshold: Any = learned(1.0, per="neuron")
    rate: Any = learned(0.75, low=-2, high=2, per="neuron")
    mix: Any = learned(0.25, per="channel")

    def open(self, ops, a):
        return ops.sigmoid(self.rate * a)

    def shut(self, ops, a):
        return 1 - ops.sigmoid(self.rate * a) * ops.sigmoid(-a)

    def step(self, ops, state, x):
        gate = ops.lookup(self.open, state.slow)
        h = ops.saturate(ops.multiply(state.u, self.decay) + ops.multiply(x, gate))
        s = ops.fire(h, self.threshold + ops.multiply(state.fast, self.mix))
        fast = ops.saturate(ops.multiply(state.fast, ops.lookup(self.shut, state.fast)) + s)
        slow = ops.saturate(ops.multiply(state.slow, self.decay) + ops.multiply(fast, gate) - x)
        return s, (ops.select(s, 0, h), fast, slow)


TOYS: tuple[type[Neuron], ...] = (Divided, Twofold, Threefold)
