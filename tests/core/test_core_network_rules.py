"""What a network proves when it is built: every rule on both sides of its boundary."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.raw_neurons import lif_soft
from support.refusals import Rule

from arlif.base.errors import ArlifError, NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
    require_time_steps,
)

PAIR = Dense(np.ones((2, 2), np.int8))
"""From two neurons to two."""


def population(name: str) -> Population:
    neuron = lif_soft(FixedPointFormat(16, 8), 8, 128, 256)
    return Population(name, (2,), neuron, np.ones(2), 0, np.zeros(2))


def graph(names: Sequence[str], pairs: str, maps: Any = (PAIR,), steps: Any = 4) -> Any:
    """Populations of two neurons; "i>a a>o": what projects to what, from input to readout."""
    ends = {"i": INPUT, "o": READOUT}
    joined = [[ends.get(end, end) for end in pair.split(">")] for pair in pairs.split(" ")]
    projections = tuple(Projection(source, target, maps) for source, target in joined)
    populations = tuple(population(name) for name in names)
    return QuantizedNetwork(Input((2,), 1.0), populations, projections, Readout(np.zeros(2)), steps)


def rule(name: str, accepted: Any, refused: Any, *told: str, error: Any = NetworkError) -> Rule:
    return Rule(name, accepted, refused, told, error)


def chain(name: str) -> QuantizedNetwork:
    return graph([name], f"i>{name} {name}>o")


GRAPHS = (
    rule(
        "one step",
        partial(graph, "", "i>o", steps=1),
        partial(graph, "", "i>o", steps=0),
        "1 time step",
        "not 0",
    ),
    rule(
        "steps that can be waited for",
        partial(graph, "", "i>o", steps=65_536),
        partial(graph, "", "i>o", steps=65_537),
        "at most 65,536",
    ),
    rule(
        "whole steps",
        lambda: require_time_steps(np.int64(2)),
        lambda: require_time_steps(2.0),
        "a whole number, not 2.0",
        error=ArlifError,
    ),
    rule(
        "names once",
        partial(graph, "ab", "i>a a>b b>o"),
        partial(graph, "aa", "i>a a>o"),
        "distinct",
        "'a', 'a'",
    ),
    rule(
        "no second input",
        partial(chain, "inputs"),
        partial(chain, INPUT),
        "distinct",
        "'input', 'input'",
    ),
    rule("no slash", partial(chain, "a_b"), partial(chain, "a/b"), "without '/' or '.'", "'a/b'"),
    rule("no dot", partial(chain, "a-b"), partial(chain, "a.b"), "without '/' or '.'", "'a.b'"),
    rule("printable", partial(chain, "ä"), partial(chain, "a\t"), "printable", "'a\\t'"),
    rule("a name at all", partial(chain, "_"), partial(chain, ""), "distinct, printable", "''"),
    rule(
        "a known source",
        partial(graph, "a", "i>a a>o"),
        partial(graph, "a", "b>a a>o"),
        "b -> a",
        "no node 'b'",
    ),
    rule(
        "a known target",
        partial(graph, "a", "i>a a>o"),
        partial(graph, "a", "i>a a>b"),
        "a -> b",
        "no node 'b'",
    ),
    rule(
        "the readout is last",
        partial(graph, "a", "i>a a>o"),
        partial(graph, "a", "o>a a>o"),
        "readout -> a",
        "nothing leaves the readout",
    ),
    rule(
        "the input is first",
        partial(graph, "a", "i>a a>o"),
        partial(graph, "a", "i>a a>i a>o"),
        "a -> input",
        "nothing leaves the readout or enters the input",
    ),
    rule(
        "no cycle",
        partial(graph, "ab", "i>a a>b b>o"),
        partial(graph, "ab", "i>a a>b b>a b>o"),
        "a delay of one time step or more",
        "a, b hold a cycle",
    ),
    rule(
        "no loop",
        partial(graph, "ab", "i>a a>b b>o"),
        partial(graph, "ab", "i>a a>b b>b b>o"),
        "a delay of one time step or more",
        "b hold a cycle without delay",
    ),
    rule(
        "driven",
        partial(graph, "ab", "i>a i>b a>o b>o"),
        partial(graph, "ab", "i>a a>o b>o"),
        "b receives no projection",
    ),
    rule(
        "a driven readout",
        partial(graph, "a", "i>a a>o"),
        partial(graph, "a", "i>a"),
        "readout receives no projection",
    ),
    rule("a used input", partial(graph, "a", "i>a a>o"), partial(graph, "a", "a>a a>o"), "cycle"),
    rule(
        "used",
        partial(graph, "ab", "i>a i>b a>o b>o"),
        partial(graph, "ab", "i>a i>b a>o"),
        "lead nowhere: b",
    ),
    rule(
        "a shape that fits",
        partial(graph, "", "i>o"),
        partial(graph, "", "i>o", (Dense(np.ones((3, 2), np.int8)),)),
        "input -> readout delivers shape (3,)",
        "readout has (2,)",
    ),
)


@pytest.mark.parametrize("rule", GRAPHS, ids=str)
def test_a_graph_rule_holds_up_to_its_boundary(rule: Rule) -> None:
    rule.check()


def reaching(total: int, target: str, bias: Sequence[int] = (0, 0)) -> QuantizedNetwork:
    """One input of 0 or 1 moves the accumulators of `target` by exactly `total`, or by nothing."""
    projections, rest, sign = [], abs(total), 1 if total >= 0 else -1
    for shift in (24, 17, 10, 3, 0):
        weight = min(127, rest >> shift)
        rest -= weight << shift
        row = Dense(np.array([[0], [sign * weight]]))
        projections.append(Projection(INPUT, target, (row,), shift))
    assert rest == 0, "five weights do not reach so far"
    ahead = () if target == READOUT else (population("p"),)
    if ahead:
        projections.append(Projection("p", READOUT, (PAIR,)))
    readout = Readout(np.array(bias))
    return QuantizedNetwork(Input((1,), 1.0, 0, 1), ahead, tuple(projections), readout, 4)


HIGHEST, LOWEST = 2**31 - 1, -(2**31)
TOP = 127 << 24
"""What one weight reaches; biases do the rest."""


@pytest.mark.parametrize("target", ["p", READOUT])
@pytest.mark.parametrize(
    ("last", "past", "told"),
    [(HIGHEST, HIGHEST + 1, "[0, 2147483648]"), (LOWEST, LOWEST - 1, "[-2147483649, 0]")],
)
def test_no_accumulator_leaves_32_bits(target: str, last: int, past: int, told: str) -> None:
    assert reaching(last, target).accumulator_bits(target) == 32
    with pytest.raises(NetworkError) as caught:
        reaching(past, target)
    assert f"accumulator of {target} may reach {told}, past int32" in str(caught.value)


@pytest.mark.parametrize(
    ("last", "past", "told"),
    [
        ((127, 127, 127, 127, 8), (127, 127, 127, 127, 9), "[-2341301769, 2341301769]"),
        ((-127, 127, 127, 127, 8), (-127, 127, 127, 127, 9), "[-2341301769, 2341301769]"),
        ((64, 64, 64, 64, 127), (64, 64, 64, 64, 64, 2), "[-2147483648, 2147483648]"),
    ],
)
def test_no_sum_between_two_maps_leaves_32_bits(last: Any, past: Any, told: str) -> None:
    """Not where the map behind it is all 0, so that the accumulator does not show it."""

    def network(weights: tuple[int, ...]) -> QuantizedNetwork:
        maps = (*(Dense(np.array([[weight]])) for weight in weights), Dense(np.array([[0]])))
        return QuantizedNetwork(
            Input((1,), 1.0, -1, 1), (), (Projection(INPUT, READOUT, maps),), Readout([0]), 1
        )

    assert network(last).accumulator_interval(READOUT) == (0, 0)
    with pytest.raises(NetworkError) as caught:
        network(past)
    assert f"between its maps a sum may reach {told}, past int32" in str(caught.value)


@pytest.mark.parametrize(
    ("total", "last", "past", "told"),
    [
        (TOP, HIGHEST - TOP, HIGHEST - TOP + 1, "[0, 2147483648]"),
        (-TOP, LOWEST + TOP, LOWEST + TOP - 1, "[-2147483649, 0]"),
    ],
)
def test_the_readouts_bias_takes_part_in_the_proof(
    total: int, last: int, past: int, told: str
) -> None:
    """The bias of any class, with either sign."""
    reaching(total, READOUT, (0, last))
    for bias in ((0, past), (past, 0)):
        with pytest.raises(NetworkError) as caught:
            reaching(total, READOUT, bias)
        assert f"readout may reach {told}, past int32" in str(caught.value)


@given(st.integers(-(2**31), 2**31 - 1))
@example(0)
@example(1)
@example(-1)
@example(-2)
@example(127)
@example(128)
@example(-128)
@example(-129)
@example(2**24)
@example(-(2**24))
@example(2**30)
@example(-(2**30))
def test_an_accumulator_has_the_bits_that_it_needs(total: int) -> None:
    network = reaching(total, READOUT)
    assert network.accumulator_interval(READOUT) == (min(total, 0), max(total, 0))
    needed = next(b for b in range(1, 40) if -(2 ** (b - 1)) <= total < 2 ** (b - 1))
    assert network.accumulator_bits(READOUT) == needed


def test_populations_are_sorted_sources_first_else_in_the_given_order() -> None:
    network = graph("dcba", "i>b b>a a>c i>d b>o c>o d>o")
    assert [p.name for p in network.populations] == ["d", "b", "a", "c"]


def test_the_depth_of_a_node_is_the_longest_way_to_it() -> None:
    network = graph("abc", "i>a a>b b>c i>c c>o i>o")
    assert network.depth == {INPUT: 0, "a": 1, "b": 2, "c": 3, READOUT: 4}
