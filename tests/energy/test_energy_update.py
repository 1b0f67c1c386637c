"""The cost of a population's update against the running equation."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support import raw_neurons
from support.places import DOCS
from support.raw_neurons import sampled
from support.strategies import populations

from arlif.core.formats import FixedPointFormat
from arlif.core.graph import CURRENT, Node, Op
from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from arlif.core.network import Population
from arlif.core.neuron import Neuron, constant, learned
from arlif.core.ops import IntegerOps
from arlif.core.real_neurons import RealArlif, RealClif, RealLifWeighted
from arlif.core.steps import current, lif_soft_step
from arlif.core.tables import LookupTable
from hw_sim.energy.neuron_titles import neuron_title
from hw_sim.energy.operations import Operation, OperationKind, counted, update_cost

COMPACT = PRESETS["compact16"]
MULTIPLY, ADD, COMPARE, SELECT, LOOKUP = OperationKind


class CallCounter(IntegerOps):
    """The reference arithmetic, noting which of its operations a real run uses."""

    def __init__(self, state_format: FixedPointFormat, factor_bits: int) -> None:
        super().__init__(state_format, factor_bits)
        self.calls: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in {"multiply", "saturate", "where", "fire", "select", "lookup"}:
            self.calls[name] += 1
        return super().__getattribute__(name)


def population(neuron: IntegerNeuron, channels: int = 3) -> Population:
    rng = np.random.default_rng(0)
    gain, bias = rng.integers(1, 256, channels), rng.integers(-8, 9, channels)
    return Population("p", (channels,), neuron, gain, 6, bias)


@given(populations("p", (3,), 100))
def test_an_update_costs_what_a_real_run_of_the_equation_uses(node: Population) -> None:
    neuron = node.neuron
    gain_ops = CallCounter(neuron.state_format, node.gain_shift)
    x = current(gain_ops, np.array([5, -9, 400]), node.gain, node.bias)
    ops = CallCounter(neuron.state_format, neuron.factor_bits)
    neuron.step(ops, neuron.initial_state(np.zeros_like(x)), x)
    calls = gain_ops.calls + ops.calls
    cost = update_cost(node, accumulator_bits=20)
    assert cost.number(MULTIPLY) == calls["multiply"]
    assert cost.number(LOOKUP) == calls["lookup"]
    assert cost.number(SELECT) == calls["where"] + calls["select"]
    clips = calls["saturate"] + calls["lookup"]
    signs = sum(n.op is Op.GE for n in neuron.graph.nodes)
    assert cost.number(COMPARE) == 2 * clips + calls["fire"] + signs


def arlif(memory: bool = True) -> IntegerNeuron:
    return sampled(RealArlif(0.5, 1.0, 1.0, 0.0, memory), COMPACT)


def lif(name: str, *more: int) -> IntegerNeuron:
    kind = getattr(raw_neurons, f"lif_{name}")
    found: IntegerNeuron = kind(COMPACT.state_format, COMPACT.factor_bits, 128, 256, *more)
    return found


def cuba() -> IntegerNeuron:
    return raw_neurons.cuba(FixedPointFormat(25, 6), 12, 4000, 3000, 3201, [64, -128, 0])


@pytest.mark.parametrize(
    ("neuron", "multiplies", "adds", "compares", "selects", "lookups", "states"),
    [
        # current: acc*gain (+1 rounding), +bias, clip. h: k u (+1), +x, clip. Lookups: 4, each with
        # 1 index and a clip. -drive, one - gate, r*kept (+1), +push; theta + reset; h - that.
        (arlif(), 3, 2 + 2 + 4 + 1 + 1 + 2 + 2, 2 * 8 + 2, 3, 4, ("u", "r")),
        (arlif(memory=False), 2, 2 + 2 + 3 + 1 + 2, 2 * 7 + 1, 2, 3, ("u",)),
        (lif("soft"), 2, 2 + 2 + 1, 2 * 3 + 1, 1, 0, ("u",)),
        (lif("hard"), 2, 2 + 2, 2 * 2 + 1, 1, 0, ("u",)),
        # u >= v chooses between v and v + hold, both constants; until version 0.1.0 was traced
        # once, hold was subtracted from h: one addition more
        (lif("subtract", 300, 5), 2, 2 + 2 + 1, 2 * 3 + 2, 2, 0, ("u",)),
        # u: k u (+1), + x, -u, + turn, - turn; v: k v (+1), + u, + bias
        (cuba(), 3, 2 + 2 + 3 + 3, 2 * 3 + 2 + 2 + 1, 2 + 2 + 1, 0, ("u", "v")),
        # gate(h), m * that (+1), + s, v + reset(m), h - that
        (sampled(RealClif(), COMPACT), 3, 2 + 2 + 2 + 1 + 1 + 2, 2 * 6 + 1, 2, 2, ("u", "m")),
        (sampled(RealLifWeighted(), COMPACT), 3, 2 + 2 + 1, 2 * 2 + 1, 1, 0, ("u",)),
    ],
)
def test_the_cost_of_each_neuron_by_hand(
    neuron: IntegerNeuron,
    multiplies: int,
    adds: int,
    compares: int,
    selects: int,
    lookups: int,
    states: tuple[str, ...],
) -> None:
    cost = update_cost(population(neuron), accumulator_bits=20)
    numbers = [cost.number(kind) for kind in (MULTIPLY, ADD, COMPARE, SELECT, LOOKUP)]
    assert numbers == [multiplies, adds, compares, selects, lookups]
    assert cost.states == states


class LifSoft(Neuron):
    """A user's neuron that happens to share its name with one of arlif's."""

    decay: Any = constant(0.5, 0, 1)
    threshold: Any = learned(1.0, per="channel")
    state = ("u",)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        u = ops.multiply(state.u, self.decay)
        return lif_soft_step(ops, self, state._replace(u=u), x)


def test_a_change_of_the_equation_changes_the_bill() -> None:
    plain, twice = (
        update_cost(population(neuron), accumulator_bits=20)
        for neuron in (lif("soft"), sampled(LifSoft(), COMPACT))
    )
    assert twice.number(MULTIPLY) == plain.number(MULTIPLY) + 1


def test_only_the_equation_of_arlif_has_its_name_in_a_bill() -> None:
    mine = sampled(LifSoft(), COMPACT)
    assert neuron_title(mine) == "LifSoft (a class of your own)"
    built_in = (arlif(), arlif(memory=False), lif("soft"), lif("hard"), cuba())
    assert [neuron_title(neuron) for neuron in built_in] == [n.name for n in built_in]


def test_an_array_of_constants_is_as_wide_as_its_widest() -> None:
    """-300 takes 10 bits, 300 too; 1000 takes 11, -8 takes 4 and 8 takes 5."""
    raw = {"decay": 128, "threshold": np.array([-300, 1000, 3])}
    neuron = IntegerNeuron.of(LifSoft, COMPACT.state_format, 8, raw)
    cost = update_cost(population(neuron), accumulator_bits=20)
    assert cost.operations[Operation(SELECT, 11)] == 1


X = Node(Op.INPUT, name=CURRENT)


def test_widths_of_operands() -> None:
    number, other = Node(Op.NUMBER, number=-8), Node(Op.NUMBER, number=1000)
    nodes = (X, number, other, Node(Op.ADD, (0, 1)), Node(Op.GE, (3, 2)), Node(Op.NEG, (0,)))
    want = {Operation(ADD, 5): 1, Operation(COMPARE, 11): 1, Operation(ADD, 4): 1}
    assert counted(nodes, {CURRENT: 3}, 16, 8) == want


def test_nothing_has_no_width() -> None:
    factor = Node(Op.PARAMETER, name="k")
    nodes = (X, factor, Node(Op.MULTIPLY, (0, 1)), Node(Op.NEG, (2,)))
    want = {Operation(MULTIPLY, 3, 2): 1, Operation(ADD, 5): 1, Operation(ADD, 2): 1}
    assert counted(nodes, {CURRENT: 3, "k": 2}, 16, 12) == want


def test_a_lookup_reads_a_table_of_its_size() -> None:
    table = LookupTable(np.arange(16) - 3, low=-8, shift=0)
    nodes = (X, Node(Op.LOOKUP, (0,), name="f"))
    want = {Operation(COMPARE, 7): 2, Operation(ADD, 7): 1, Operation(LOOKUP, 5, 5 * 16): 1}
    assert counted(nodes, {CURRENT: 7}, 16, 8, {"f": table}) == want


@pytest.mark.parametrize(
    ("title", "neuron"),
    [("AR-LIF", arlif()), ("LIF, soft reset", lif("soft")), ("LIF, hard reset", lif("hard"))],
)
def test_the_documented_costs_are_the_counted_ones(title: str, neuron: IntegerNeuron) -> None:
    text = (DOCS / "energy.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {title} |")]
    cost = update_cost(population(neuron), accumulator_bits=20)
    kinds = (MULTIPLY, ADD, COMPARE, SELECT, LOOKUP)
    assert [int(cell) for cell in row.split("|")[2:7]] == [cost.number(kind) for kind in kinds]
