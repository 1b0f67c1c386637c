"""A recorded step is the step: folding and merging change nothing; graphs check themselves."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.programs import STATE, Program, RandomNeuron, programs
from support.strategies_neurons import rngs
from support.user_neurons import Adaptive

from arlif.base.errors import ArlifError, NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import Graph, Node, Op, dependencies
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.neuron import Neuron, constant, traced
from arlif.core.ops import IntegerOps
from arlif.core.real_neurons import NumpyRealOps
from arlif.core.tables import LookupTable

FORMAT = FixedPointFormat(11, 5)


@settings(max_examples=300)
@given(programs(), rngs())
def test_a_replayed_graph_computes_what_the_step_does(
    program: Program, rng: np.random.Generator
) -> None:
    neuron, ops = RandomNeuron(program=program), NumpyRealOps()
    x, *state = rng.normal(0, 1, (3, 50))
    graph, functions = traced(neuron), {"f": neuron.f, "gate": neuron.gate}
    spikes, after = graph.run(ops, state, x, neuron.constants(), functions)
    want_spikes, want = neuron.step(ops, state, x)
    np.testing.assert_array_equal(spikes, want_spikes)
    np.testing.assert_array_equal(after, want)


@settings(max_examples=300)
@given(programs(), rngs())
def test_the_integer_form_computes_what_the_step_does_on_integers(
    program: Program, rng: np.random.Generator
) -> None:
    """Raw constants and tables in the step itself, against the graph made from real numbers."""
    factor_bits = 4
    one, numbers = 1 << factor_bits, range(-(1 << factor_bits), (1 << factor_bits) + 1)
    low, high = FORMAT.low // 2, FORMAT.high // 2
    raw = {"a": int(rng.integers(low, high)), "b": int(rng.integers(low, high))}
    raw |= {"k": int(rng.choice(numbers)), "g": int(rng.choice(numbers))}
    tables = {
        "f": LookupTable(rng.integers(FORMAT.low, FORMAT.high + 1, 64), FORMAT.low, 5),
        "gate": LookupTable(rng.integers(-one, one + 1, 64), FORMAT.low, 5),
    }
    kind = RandomNeuron(program=program)
    used = {node.name for node in traced(kind).nodes if node.op is Op.LOOKUP}
    held = {name: tables[name] for name in used}
    try:
        neuron = IntegerNeuron.of(kind, FORMAT, factor_bits, raw, held)
    except NetworkError:  # leaves 32 bits
        assume(False)
    x, *state = rng.integers(FORMAT.low, FORMAT.high + 1, (3, 200)).astype(np.int32)

    def number(unit: str, value: float) -> int:
        return int(value * (FORMAT.one if unit == STATE else one))

    ops = IntegerOps(FORMAT, factor_bits)
    given_neuron = SimpleNamespace(**raw, **tables)
    want_spikes, want = program.run(ops, given_neuron, state, x, number)
    spikes, after = neuron.step(ops, neuron.state_type(*state), x)
    np.testing.assert_array_equal(spikes, want_spikes)
    np.testing.assert_array_equal(after, want)


class Step(Neuron):
    """A neuron whose step is given."""

    state = ("u",)
    k: Any = constant(0.5)
    c: Any = constant(1.0)
    body: Any = None

    def f(self, ops, x):
        return ops.tanh(x)

    def step(self, ops, state, x):
        return self.body(self, ops, state.u, x)


def operations(body: Any) -> Counter[Op]:
    """What is left of a step."""
    return Counter(node.op for node in traced(Step(body=body)).nodes)


FOLDED = {
    "0 added": lambda n, ops, u, x: 0 + u + 0,
    "0 subtracted": lambda n, ops, u, x: u - 0,
    "times 1": lambda n, ops, u, x: 1 * u * 1 / 1,
    "multiplied by 1": lambda n, ops, u, x: ops.multiply(u, 1),
    "a choice between equals": lambda n, ops, u, x: ops.where(u >= x, u, u),
    "numbers": lambda n, ops, u, x: u + (ops.multiply(x, 0) + 0.5 * 2 - 1),
    "two signs": lambda n, ops, u, x: -(0 - u),
}


@pytest.mark.parametrize("value", FOLDED.values(), ids=FOLDED)
def test_what_changes_nothing_is_no_operation(value: Any) -> None:
    found = operations(lambda n, ops, u, x: (ops.fire(value(n, ops, u, x), n.c), (u,)))
    assert found == {Op.INPUT: 2, Op.PARAMETER: 1, Op.FIRE: 1}


def test_equal_operations_are_one_and_unused_ones_none() -> None:
    def body(n: Any, ops: Any, u: Any, x: Any) -> Any:
        ops.exp(u - 3 * x)
        h = ops.saturate(u + x)
        return ops.fire(ops.saturate(u + x), 2), (ops.saturate(ops.saturate(h)) - (u + x),)

    found = operations(body)
    assert found == {Op.INPUT: 2, Op.ADD: 1, Op.SATURATE: 1, Op.NUMBER: 1, Op.FIRE: 1, Op.SUB: 1}


def test_inputs_that_nothing_reads_stay() -> None:
    graph = traced(Step(body=lambda n, ops, u, x: (ops.fire(n.c, n.c), (n.c,))))
    assert [node.name for node in graph.nodes if node.op is Op.INPUT] == ["x", "u"]


def test_known_constants_are_numbers() -> None:
    graph = traced(Step(body=lambda n, ops, u, x: (ops.fire(u, n.c + n.k), (u,))), {"c": 2, "k": 1})
    assert graph.parameters() == ()
    assert [node.number for node in graph.nodes if node.op is Op.NUMBER] == [3]


def test_dependencies_are_the_inputs_behind_a_value() -> None:
    graph = traced(Adaptive())
    found = dependencies(graph)
    assert found[graph.after[0]] == {"x", "u", "a"}
    (kept,) = [n for n, node in enumerate(graph.nodes) if node.op is Op.LOOKUP]
    assert found[kept] == {"a"}
    assert {tuple(found[n]) for n, node in enumerate(graph.nodes) if node.op is Op.PARAMETER} == {
        ()
    }


def one(n: Any, ops: Any, u: Any, x: Any) -> Any:
    return ops.fire(u, n.c)


REFUSED = {
    "a branch": (lambda n, ops, u, x: (one(n, ops, u, x), (u if u >= x else x,)), "ops.where"),
    "a chain of comparisons": (lambda n, ops, u, x: (one(n, ops, u, x), (0 <= u <= 1,)), "branch"),
    "less than": (
        lambda n, ops, u, x: (ops.fire(u, n.c), (u < x,)),
        "compares with >= or <=, not with > or <",
    ),
    "no state": (lambda n, ops, u, x: one(n, ops, u, x), "(spikes, state)"),
    "nothing": (lambda n, ops, u, x: None, "(spikes, state)"),
    "a state that is no tuple": (lambda n, ops, u, x: (one(n, ops, u, x), u), "(spikes, state)"),
    "two states": (lambda n, ops, u, x: (one(n, ops, u, x), (u, u)), "(spikes, state)"),
    "no spikes": (lambda n, ops, u, x: (u, (u,)), "spikes that ops.fire gave"),
    "a comparison for spikes": (lambda n, ops, u, x: (u >= n.c, (u,)), "spikes that ops.fire gave"),
    "a text": (lambda n, ops, u, x: (one(n, ops, u, x), ("u",)), "not with str 'u'"),
    "an array": (lambda n, ops, u, x: (one(n, ops, u + np.ones(2), x), (u,)), "ndarray"),
    "a truth": (lambda n, ops, u, x: (one(n, ops, u + True, x), (u,)), "bool True"),
    "numpy's functions": (lambda n, ops, u, x: (one(n, ops, np.tanh(u), x), (u,)), "through ops"),
    "a function without a name": (
        lambda n, ops, u, x: (one(n, ops, ops.lookup(lambda ops, v: v, u), x), (u,)),
        "a method of the neuron",
    ),
    "an operation that is none": (
        lambda n, ops, u, x: (one(n, ops, ops.sqrt(u), x), (u,)),
        "no attribute 'sqrt'",
    ),
    "a state to choose by": (
        lambda n, ops, u, x: (one(n, ops, u, x), (ops.where(u, u, x),)),
        "a comparison, a >= b; this is the result of 'input'",
    ),
    "spikes to choose a branch by": (
        lambda n, ops, u, x: (one(n, ops, u, x), (ops.where(one(n, ops, u, x), u, x),)),
        "a comparison, a >= b; this is the result of 'fire'",
    ),
    "a comparison to select by": (
        lambda n, ops, u, x: (one(n, ops, u, x), (ops.select(u >= x, u, x),)),
        "spikes of ops.fire; this is the result of 'ge'",
    ),
}


@pytest.mark.parametrize(("body", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_step_is_refused_by_name(body: Any, told: str) -> None:
    with pytest.raises(ArlifError) as caught:
        traced(Step(body=body))
    assert str(caught.value).startswith("Step: ")
    assert told in str(caught.value)


def test_a_refusal_is_told_once() -> None:
    with pytest.raises(ArlifError, match=r"its name is the table's$"):
        traced(Step(body=lambda n, ops, u, x: (ops.lookup(3, x), (u,))))


def test_a_symbol_of_another_step_is_refused() -> None:
    kept: list[Any] = []

    def body(n: Any, ops: Any, u: Any, x: Any) -> Any:
        kept.append(u)
        return ops.fire(kept[0], n.c), (u,)

    traced(Step(body=body))
    with pytest.raises(ArlifError, match="not with Symbol"):
        traced(Step(body=body))


X, U = Node(Op.INPUT, name="x"), Node(Op.INPUT, name="u")
FIRE = Node(Op.FIRE, (1, 0))
GRAPHS = {
    "an argument behind its node": ((X, U, Node(Op.FIRE, (1, 3)), Node(Op.NEG, (0,))), 2, "node 2"),
    "an argument that is none": ((X, U, Node(Op.FIRE, (1, -1))), 2, "node 2"),
    "too few arguments": ((X, U, Node(Op.FIRE, (1,))), 2, "node 2"),
    "an input that is no state": ((X, Node(Op.INPUT, name="w"), FIRE), 2, "node 1"),
    "a constant without a name": ((X, U, FIRE, Node(Op.PARAMETER)), 2, "node 3"),
    "a name for nothing": ((X, U, Node(Op.FIRE, (1, 0), "spike")), 2, "node 2"),
    "spikes that are no node": ((X, U, FIRE), 3, "ends in nodes (3, 1) of 3"),
}


@pytest.mark.parametrize(("nodes", "spikes", "told"), GRAPHS.values(), ids=GRAPHS)
def test_a_graph_that_is_no_step_is_refused(nodes: Any, spikes: int, told: str) -> None:
    Graph((X, U, FIRE), 2, ("u",), (1,))
    with pytest.raises(ArlifError) as caught:
        Graph(nodes, spikes, ("u",), (1,))
    assert told in str(caught.value)


@pytest.mark.parametrize("states", [("u", "u"), ("x",), ("",), ("class",), ("_u",), ()])
def test_states_have_names_of_their_own(states: tuple[str, ...]) -> None:
    with pytest.raises(ArlifError):
        Graph((X, *(Node(Op.INPUT, name=n) for n in states), FIRE), 2, states, (1,) * len(states))


@given(st.data())
def test_every_operation_needs_its_number_of_arguments(data: st.DataObject) -> None:
    op = data.draw(st.sampled_from((Op.ADD, Op.NEG, Op.WHERE, Op.SELECT, Op.TIMES, Op.TANH)))
    right = {Op.NEG: 1, Op.TANH: 1, Op.WHERE: 3, Op.SELECT: 3}.get(op, 2)
    count = data.draw(st.integers(0, 4).filter(lambda n: n != right))
    with pytest.raises(ArlifError, match="which is none"):
        Graph((X, U, FIRE, Node(op, (0,) * count)), 2, ("u",), (1,))
