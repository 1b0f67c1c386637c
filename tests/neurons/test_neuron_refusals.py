"""What a user's own neuron does wrong is told in words, where its layer is made or quantized."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from support.networks_small import quantized
from torch import nn

from arlif import Neuron, NeuronLayer, constant, layers, learned
from arlif.base.errors import ArlifError, LoweringError
from arlif.quantize import linearize


class Plain(Neuron):
    """LIF without a leak, a threshold per channel."""

    state = ("u",)
    threshold: float = learned(1.0, low=0.1, per="channel")
    rise: float = learned(0.2, low=0, high=2)

    def step(self, ops, state, x):
        h = ops.saturate(state.u + x)
        s = ops.fire(h, self.threshold)
        return s, (ops.select(s, self.rise, h),)


class Broken(Neuron):
    """A neuron that differs from a good one in `mistake`."""

    state = ("u",)
    mistake: str = ""

    def step(self, ops, state, x):
        match self.mistake:
            case "no such state":
                return ops.fire(state.v, 1), (x,)
            case "no such operation":
                return ops.fire(ops.minimum(x, 1), 1), (x,)
            case "no state returned":
                return ops.fire(x, 1)
            case "two states returned":
                return ops.fire(x, 1), (x, x)
            case "branches":
                return ops.fire(x if x >= 0 else -x, 1), (x,)
            case "torch":
                return ops.fire(torch.relu(x), 1), (x,)
            case "greater":
                return x > 1, (x,)
            case "text":
                return ops.fire(x, "1"), (x,)
        return ops.fire(x, 1), (x,)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("no such state", "'BrokenState' object has no attribute 'v'"),
        ("no such operation", "no attribute 'minimum'"),
        ("no state returned", r"let it return \(spikes, state\)"),
        ("two states returned", "it returns 2 states, not u"),
        ("branches", "a step may not branch on values; use ops.where"),
        ("torch", "not Symbol; write it through ops"),
        ("greater", "compares with >= or <="),
        ("text", "not with str '1'"),
    ],
)
def test_a_mistake_in_a_step_is_told_where_the_layer_is_made(mistake: str, message: str):
    NeuronLayer(Broken())
    with pytest.raises(ArlifError, match=rf"^Broken: .*{message}"):
        NeuronLayer(Broken(mistake))


class WithSurrogate(Broken):
    """Its constant has a name that the module needs."""

    surrogate: float = constant(1.0)


class Stateless(Neuron):
    """It names no state."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NeuronLayer(Plain), "a layer takes a neuron, such as"),
        (lambda: NeuronLayer(WithSurrogate()), "torch modules have a surrogate of their own"),
        (lambda: NeuronLayer(Stateless()), r'names no state; .* state = \("u",\)'),
        (lambda: NeuronLayer(Plain(threshold=0.0)), r"threshold .* lies in \[0.1, inf\]"),
        (
            lambda: NeuronLayer(Plain(threshold=np.ones(3)), (3, 4, 4)),
            r"shape \(3,\) does not fit neurons of shape \(3, 4, 4\); .* \(3, 1, 1\)",
        ),
        (
            lambda: NeuronLayer(Plain(rise=np.ones(3)), (3,)),
            "rise of Plain is one number per layer",
        ),
        (
            lambda: NeuronLayer(Plain(), (3,))(torch.zeros(2, 1, 4)),
            r"threshold .* shape \(3,\) does not fit neurons of shape \(4,\)",
        ),
        (lambda: NeuronLayer(Plain())(torch.zeros(2, 4)), r"give currents \[T, N, C, ...\]"),
    ],
)
def test_other_mistakes_are_told_in_words(make: Callable[[], object], message: str):
    with pytest.raises(ArlifError, match=message):
        make()


class Product(Neuron):
    """Its step multiplies two states, which no table of one variable says."""

    state = ("u", "v")

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, state.v) + x)
        return ops.fire(h, 1), (h, h)


class OfTwo(Neuron):
    """Its function reads two variables."""

    state = ("u", "v")

    def step(self, ops, state, x):
        def gate(ops, u):
            return ops.sigmoid(u * state.v)

        h = ops.saturate(ops.multiply(x, ops.lookup(gate, state.u)))
        return ops.fire(h, 1), (h, h)


class TablePerChannel(Neuron):
    """Its function reads a constant that every channel has of its own."""

    state = ("u",)
    steepness: float = learned(1.0, per="channel")

    def gate(self, ops, x):
        return ops.sigmoid(self.steepness * x)

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, ops.lookup(self.gate, x)) + x)
        return ops.fire(h, 1), (h,)


@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        (Product(), "v is a state and is used as a factor: .* product of two states"),
        (OfTwo(), "gate is a function of u and v: a table takes one variable"),
        (TablePerChannel(), "gate reads steepness, one per channel or neuron, and a table is one"),
    ],
)
def test_what_trains_and_has_no_integers_is_refused_by_the_trace(neuron: Neuron, message: str):
    layer = NeuronLayer(neuron)
    net = nn.Sequential(layers.Linear(4, 3), layers.Repeat(4), layer, layers.Linear(3, 2))
    assert net(torch.rand(1, 2, 4)).isfinite().all()
    linearize(net, (4,))
    with pytest.raises(LoweringError, match=rf"population 2: .*{message}"):
        quantized(net, (4,))
