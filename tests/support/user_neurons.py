"""Neurons that arlif does not know, as users write them."""

from typing import Any

from arlif.core.neuron import Neuron, constant, learned


class Adaptive(Neuron):
    """LIF whose threshold rises with every spike, by as much as each channel learns.

    h = k u + x;  theta = 1 + strength a;  s = [h >= theta];  u = h - s theta
    a = a sigma(rate - a) + s
    """

    state = ("u", "a")
    decay: Any = constant(0.75, low=0, high=1)
    rate: Any = constant(1.5)
    strength: Any = learned(0.25, low=-1, high=1, per="channel")

    def kept(self, ops, a):
        return ops.sigmoid(self.rate - a)

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        theta = 1 + ops.multiply(state.a, self.strength)
        s = ops.fire(h, theta)
        a = ops.saturate(
            ops.multiply(state.a, ops.lookup(self.kept, state.a)) + ops.select(s, 1, 0)
        )
        return s, (ops.saturate(h - ops.select(s, theta, 0)), a)
