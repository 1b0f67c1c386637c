"""The cost of a population's update against the running equation."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from support.integer_neurons import sampled
from support.places import DOCS
from support.strategies import neurons

from arlif.base.errors import ArlifError
from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from arlif.core.network import (
    Population,
)
from arlif.core.ops import IntegerOps
from arlif.core.real_neurons import RealArlif
from arlif.core.steps import current
from hw_sim.energy.operations import CountingOps, OperationKind, update_cost


class CallCounter(IntegerOps):
    """The reference arithmetic, noting which of its operations a real run uses."""

    def __init__(self, state_format):
        super().__init__(state_format)
        self.calls = Counter()

    def __getattribute__(self, name):
        if name in {"multiply", "saturate", "where", "fire", "select", "lookup"}:
            self.calls[name] += 1
        return super().__getattribute__(name)


def population(neuron, channels=3):
    rng = np.random.default_rng(0)
    gain, bias = rng.integers(1, 256, channels), rng.integers(-8, 9, channels)
    return Population("p", (channels,), neuron, gain, 6, bias)


@given(neurons())
def test_an_update_costs_what_a_real_run_of_the_equation_uses(neuron: IntegerNeuron):
    node = population(neuron)
    ops = CallCounter(neuron.state_format)
    x = current(ops, np.array([5, -9, 400]), node.gain, node.gain_shift, node.bias)
    neuron.step(ops, neuron.initial_state(np.zeros_like(x)), x)
    cost = update_cost(node, accumulator_bits=20)
    assert cost.number(OperationKind.MULTIPLY) == ops.calls["multiply"]
    assert cost.number(OperationKind.LOOKUP) == ops.calls["lookup"]
    assert cost.number(OperationKind.SELECT) == ops.calls["where"] + ops.calls["select"]
    clips = ops.calls["saturate"] + ops.calls["lookup"]
    signs = ops.calls["where"]  # the only comparison outside fire is r >= 0, in front of a where
    assert cost.number(OperationKind.COMPARE) == 2 * clips + ops.calls["fire"] + signs


def arlif(memory=True) -> IntegerArlif:
    return sampled(RealArlif(0.5, 1.0, 1.0, 0.0, memory), PRESETS["compact16"])


def lif(kind) -> IntegerNeuron:
    numbers = PRESETS["compact16"]
    return kind(numbers.state_format, numbers.factor_bits, 128, 256)


@pytest.mark.parametrize(
    ("neuron", "multiplies", "adds", "lookups", "states"),
    [
        # current: acc*gain (+1 rounding), +bias. h: k u (+1), +x. Lookups: 4 with 1 index each.
        # -drive, one - gate, r*kept (+1), +push; theta + reset; h - that.
        (arlif(), 3, 2 + 2 + 4 + 1 + 1 + 2 + 2, 4, ("u", "r")),
        (arlif(memory=False), 2, 2 + 2 + 3 + 1 + 2, 3, ("u",)),
        (lif(IntegerLifSoft), 2, 2 + 2 + 1, 0, ("u",)),
        (lif(IntegerLifHard), 2, 2 + 2, 0, ("u",)),
    ],
)
def test_the_cost_of_each_neuron_by_hand(neuron, multiplies, adds, lookups, states):
    cost = update_cost(population(neuron), accumulator_bits=20)
    assert cost.number(OperationKind.MULTIPLY) == multiplies
    assert cost.number(OperationKind.ADD) == adds
    assert cost.number(OperationKind.LOOKUP) == lookups
    assert cost.states == states


def test_a_change_of_the_equation_changes_the_bill():
    @dataclass(frozen=True, eq=False)
    class TwiceDecayed(IntegerLifSoft):
        def step(self, ops, state, x):
            u = ops.multiply(state.u, self.decay, self.factor_bits)
            return super().step(ops, state._replace(u=u), x)

    plain, twice = (
        update_cost(population(lif(kind)), accumulator_bits=20)
        for kind in (IntegerLifSoft, TwiceDecayed)
    )
    assert twice.number(OperationKind.MULTIPLY) == plain.number(OperationKind.MULTIPLY) + 1


def test_an_array_of_constants_is_one_operand():
    ops = CountingOps(16)
    results = [np.arange(3) + ops.symbol(8), ops.symbol(8) - np.arange(300), -ops.symbol(8)]
    assert sum(ops.tally.operations.values()) == 3
    assert [result.bits for result in results] == [9, 11, 9]


def test_a_neuron_without_a_traceable_step_is_an_error_not_a_zero():
    class Stepless(IntegerNeuron):
        pass

    class Branching(IntegerLifSoft):
        def step(self, ops, state, x):
            return super().step(ops, state, x if state.u >= 0 else -x)

    class Foreign(IntegerLifSoft):
        def step(self, ops, state, x):
            return np.tanh(state.u), state

    numbers = PRESETS["compact16"]
    stepless = Stepless(numbers.state_format, numbers.factor_bits, 128)
    for neuron in (stepless, lif(Branching), lif(Foreign)):
        with pytest.raises(ArlifError, match=r"cost of .* is unknown"):
            update_cost(population(neuron), accumulator_bits=20)


@pytest.mark.parametrize(
    ("title", "neuron"),
    [
        ("AR-LIF", arlif()),
        ("LIF, soft reset", lif(IntegerLifSoft)),
        ("LIF, hard reset", lif(IntegerLifHard)),
    ],
)
def test_the_documented_costs_are_the_traced_ones(title, neuron):
    text = (DOCS / "energy.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {title} |")]
    cost = update_cost(population(neuron), accumulator_bits=20)
    kinds = (
        OperationKind.MULTIPLY,
        OperationKind.ADD,
        OperationKind.COMPARE,
        OperationKind.SELECT,
        OperationKind.LOOKUP,
    )
    assert [int(cell) for cell in row.split("|")[2:7]] == [cost.number(kind) for kind in kinds]
