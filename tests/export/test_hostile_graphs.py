"""Steps that somebody wrote into a file: each is refused in our words, at once, or it is a step."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.raw_neurons import sampled
from support.user_neurons import Adaptive

from arlif.base.errors import FormatError, NetworkError
from arlif.core.graph import MOST_NODES, Op
from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from export.hdf5 import Tree
from export.population_tree import build_neuron, neuron_tree

NEURON = sampled(Adaptive(), PRESETS["compact16"])


def tree() -> Tree:
    """A neuron with two states, constants and a table, as its file has it."""
    return neuron_tree(NEURON)


def test_a_neuron_comes_back_equal() -> None:
    assert build_neuron(tree(), "p") == NEURON


def place(graph: Tree, operation: str) -> int:
    """The first node that does an operation."""
    found: int = graph["operations"].index(operation)
    return found


def grown(graph: Tree, count: int, operation: str, arguments: tuple[int, int, int]) -> None:
    """More nodes, each of the one before: -2 stands for the last."""
    for _ in range(count):
        last = len(graph["operations"]) - 1
        row = [last if arg == -2 else arg for arg in arguments]
        graph["operations"].append(operation)
        graph["names"].append("")
        graph["arguments"] = np.vstack([graph["arguments"], np.array([row], np.int64)])
        graph["numbers"] = np.append(graph["numbers"], 0)
    graph["after"] = (len(graph["operations"]) - 1, *graph["after"][1:])


def with_graph(**entries: Any) -> Callable[[Tree], None]:
    return lambda neuron: neuron["graph"].update(entries)


def operation(old: str, new: str) -> Callable[[Tree], None]:
    def change(neuron: Tree) -> None:
        graph = neuron["graph"]
        graph["operations"][place(graph, old)] = new

    return change


def argument(operation: str, index: int, value: int) -> Callable[[Tree], None]:
    def change(neuron: Tree) -> None:
        graph = neuron["graph"]
        graph["arguments"][place(graph, operation), index] = value

    return change


def growing(count: int, operation: str, *arguments: int) -> Callable[[Tree], None]:
    return lambda neuron: grown(neuron["graph"], count, operation, arguments)  # type: ignore[arg-type]


def renamed(group: str, old: str, new: str) -> Callable[[Tree], None]:
    def change(neuron: Tree) -> None:
        neuron[group][new] = neuron[group].pop(old)
        names = neuron["graph"]["names"]
        names[names.index(old)] = new

    return change


def state(new: str) -> Callable[[Tree], None]:
    def change(neuron: Tree) -> None:
        graph = neuron["graph"]
        graph["names"][graph["names"].index("a")] = new
        graph["states"] = ["u", new]

    return change


def without(group: str, name: str) -> Callable[[Tree], None]:
    def change(neuron: Tree) -> None:
        del neuron[group][name]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (argument("add", 1, 10**6), "which is none"),
        (argument("add", 1, -7), "which is none"),
        (argument("saturate", 1, 0), "which is none"),
        (state("x"), "none 'x' or 'spikes'"),
        (state("spikes"), "none 'x' or 'spikes'"),
        (with_graph(after=(0, place(tree()["graph"], "parameter"))), "the same after every step"),
        (operation("add", "launch"), "operations 'launch' that this arlif does not know"),
        (operation("add", "tanh"), "which is none|none of integers"),
        (operation("saturate", "exp"), "none of integers"),
        (operation("fire", "ge"), "the spikes that ops.fire gave"),
        (operation("fire", "surrogate"), "which is none"),
        (growing(10_000, "neg", -2, -1, -1), f"at most {MOST_NODES} nodes"),
        (growing(900, "add", -2, -2, -1), "leaves 32 bits"),
        (growing(900, "multiply", -2, -2, -1), r"\.\.\. .*is a factor and is used as a state"),
        (state("class"), "words of Python"),
        (state("../u"), "words of Python"),
        (state("u"), "different names"),
        (state(""), "words of Python|which is none"),
        (renamed("constants", "decay", "a/b"), "names of printable characters"),
        (renamed("constants", "decay", "a\nb"), "names of printable characters"),
        (renamed("constants", "decay", ".."), "names of printable characters"),
        (without("constants", "decay"), "reads .*decay.*; it has"),
        (without("tables", "kept"), "reads .*kept.*; it has"),
        (lambda neuron: neuron["constants"].update(more={"value": 3}), "it has .*more"),
        (lambda neuron: neuron["constants"].update(decay={"value": 0.5}), "decay/value must be"),
        (lambda neuron: neuron["constants"].update(decay={"value": []}), "decay/value must hold"),
        (lambda neuron: neuron["constants"].update(decay=128), "decay must be a group"),
        (lambda neuron: neuron.update(constants=3), "are groups"),
        (lambda neuron: neuron.update(name="1; DROP"), "by the name of its class"),
        (lambda neuron: neuron.update(extra=1), "must have the fields"),
        (with_graph(spikes=0), "the spikes that ops.fire gave"),
        (with_graph(spikes=-1), "ends in nodes"),
        (with_graph(after=(0,)), "ends in nodes"),
        (with_graph(after=(0, 10**9)), "ends in nodes"),
        (with_graph(states=["u"], after=(0,)), "which is none"),
        (with_graph(states=[], after=()), "must be a list of integers"),
        (with_graph(names=[""]), "a row for each"),
        (with_graph(numbers=np.zeros(3, np.int64)), "a row for each"),
        (with_graph(numbers=np.zeros(3)), "must hold int64"),
        (with_graph(operations=3), "must be a list of texts"),
        (with_graph(arguments=np.zeros((2, 2), np.int64)), "a row for each"),
    ],
)
def test_a_step_that_is_none_is_refused_in_words_at_once(
    change: Callable[[Tree], None], message: str
) -> None:
    neuron = tree()
    change(neuron)
    start = perf_counter()
    with pytest.raises((FormatError, NetworkError), match=message):
        build_neuron(neuron, "p")
    assert perf_counter() - start < 5


def test_long_chains_of_choices_are_read_in_seconds() -> None:
    """What a choice chooses from is walked once, though there are 2**900 ways to it."""
    neuron = tree()
    graph = neuron["graph"]
    graph["operations"].append("ge")
    graph["names"].append("")
    graph["arguments"] = np.vstack([graph["arguments"], np.array([[0, 1, -1]])])
    graph["numbers"] = np.append(graph["numbers"], 0)
    condition, chosen = len(graph["operations"]) - 1, graph["after"][0]
    grown(graph, 1, "where", (condition, chosen, chosen))
    grown(graph, MOST_NODES - len(graph["operations"]) - 2, "where", (condition, -2, -2))
    last = graph["after"][0]
    grown(graph, 1, "ge", (last, last, -1))
    grown(graph, 1, "where", (-2, last, last))
    start = perf_counter()
    assert len(build_neuron(neuron, "p").graph.nodes) == MOST_NODES
    assert perf_counter() - start < 10


@settings(max_examples=300)
@given(st.data())
def test_no_random_graph_ends_in_a_traceback(data: st.DataObject) -> None:
    """A few entries of any kind are changed: it is refused, or it is a neuron that runs."""
    neuron = tree()
    graph, nodes = neuron["graph"], len(neuron["graph"]["operations"])
    places = st.integers(-2, nodes)
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.integers(0, nodes - 1))
        match data.draw(st.sampled_from(["operation", "argument", "name", "number", "output"])):
            case "operation":
                graph["operations"][row] = data.draw(st.sampled_from([op.value for op in Op]))
            case "argument":
                graph["arguments"][row, data.draw(st.integers(0, 2))] = data.draw(places)
            case "name":
                graph["names"][row] = data.draw(st.sampled_from([*graph["names"], "v", "x"]))
            case "number":
                graph["numbers"][row] = data.draw(st.integers(-(2**40), 2**40))
            case "output":
                graph["after"] = (data.draw(places), data.draw(places))
    try:
        found = build_neuron(neuron, "p")
    except (FormatError, NetworkError):
        return
    runs(found)


def runs(neuron: IntegerNeuron) -> None:
    """A step of the reference: spikes and states of the shape of x, within 32 bits."""
    state_format = neuron.state_format
    x = np.linspace(state_format.low, state_format.high, 9).astype(np.int32)
    state = neuron.initial_state(np.zeros_like(x))
    for _ in range(3):
        spikes, state = neuron.step(neuron.ops(), state, x)
        assert spikes.dtype == np.bool_
        assert spikes.shape == x.shape
        for variable in state:
            assert variable.shape == x.shape
            assert np.abs(variable.astype(np.int64)).max() < 2**31
