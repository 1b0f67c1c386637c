"""A population as a tree of plain values, and back: its neuron travels with the step it runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, FormatError, NetworkError, require
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import MOST_NODES, Graph, Node, Op
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import Shape
from arlif.core.network import Population
from arlif.core.tables import LookupTable
from export.hdf5 import Tree
from export.records import build, entry, only, record_tree, texts, value

NO_ARGUMENT = -1
MOST_ARGUMENTS = 3
OPERATIONS = {op.value: op for op in Op}


def population_tree(population: Population) -> Tree:
    """All that a population is, except for its name; `build_population` reads it."""
    return {
        "shape": population.shape,
        "neuron": neuron_tree(population.neuron),
        "gain": population.gain,
        "gain_shift": population.gain_shift,
        "bias": population.bias,
    }


def build_population(name: str, tree: Tree) -> Population:
    """The population whose `population_tree` stands in a tree, beside other entries.

    Raises FormatError for a missing or wrongly typed entry, and NetworkError where values break a
    rule of the integer specification.
    """

    def field(hint: Any, key: str) -> Any:
        return value(hint, entry(tree, key), f"{name}/{key}")

    return Population(
        name,
        field(Shape, "shape"),
        build_neuron(entry(tree, "neuron"), f"{name}/neuron"),
        field(NDArray[np.uint8], "gain"),
        field(int, "gain_shift"),
        field(NDArray[np.int32], "bias"),
    )


def neuron_tree(neuron: IntegerNeuron) -> Tree:
    """All that a neuron is; `build_neuron` reads it."""
    return {
        "name": neuron.name,
        "state_format": record_tree(neuron.state_format),
        "factor_bits": neuron.factor_bits,
        "graph": _graph_tree(neuron.graph),
        "constants": {name: {"value": raw} for name, raw in neuron.constants.items()},
        "tables": {name: record_tree(table) for name, table in neuron.tables.items()},
    }


def _graph_tree(graph: Graph) -> Tree:
    """One row a node: operation, places of its arguments, name, number."""
    arguments = [(*node.args, *(NO_ARGUMENT,) * MOST_ARGUMENTS)[:3] for node in graph.nodes]
    return {
        "operations": [node.op.value for node in graph.nodes],
        "arguments": np.array(arguments, np.int64),
        "names": [node.name for node in graph.nodes],
        "numbers": np.array([int(node.number) for node in graph.nodes], np.int64),
        "spikes": graph.spikes,
        "states": list(graph.states),
        "after": graph.after,
    }


def build_neuron(tree: Any, where: str) -> IntegerNeuron:
    """The neuron whose `neuron_tree` this is.

    Raises FormatError for a missing, unexpected or wrongly typed entry and for a graph that is no
    step, NetworkError where its values break a rule of the integer specification.
    """
    only(tree, ("name", "state_format", "factor_bits", "graph", "constants", "tables"), where)
    constants, tables = (entry(tree, name) for name in ("constants", "tables"))
    for group in (constants, tables):
        require(isinstance(group, dict), f"{where}: constants and tables are groups", FormatError)
    try:
        return IntegerNeuron(
            value(str, tree["name"], f"{where}/name"),
            _graph(tree["graph"], f"{where}/graph"),
            build(FixedPointFormat, tree["state_format"], f"{where}/state_format"),
            value(int, tree["factor_bits"], f"{where}/factor_bits"),
            {n: _constant(item, f"{where}/constants/{n}") for n, item in constants.items()},
            {n: build(LookupTable, item, f"{where}/tables/{n}") for n, item in tables.items()},
        )
    except (FormatError, NetworkError):
        raise
    except ArlifError as error:
        raise FormatError(f"{where}: {error}") from None


def _graph(tree: Any, where: str) -> Graph:
    columns = ("operations", "arguments", "names", "numbers")
    only(tree, (*columns, "spikes", "states", "after"), where)
    operations, names = (texts(tree[n], f"{where}/{n}") for n in ("operations", "names"))
    arguments, numbers = (
        value(NDArray[np.int64], tree[n], f"{where}/{n}") for n in ("arguments", "numbers")
    )
    nodes = len(operations)
    require(
        nodes <= MOST_NODES
        and len(names) == nodes
        and arguments.shape == (nodes, MOST_ARGUMENTS)
        and numbers.shape == (nodes,),
        f"{where} has a row for each of at most {MOST_NODES} nodes in {', '.join(columns)}",
        FormatError,
    )
    unknown = sorted({*operations} - OPERATIONS.keys())
    require(
        not unknown,
        f"{where} has operations {', '.join(map(repr, unknown))} that this arlif does not know; "
        "read the file with the arlif that wrote it",
        FormatError,
    )
    return Graph(
        tuple(
            Node(OPERATIONS[op], tuple(a for a in args if a != NO_ARGUMENT), name, float(number))
            for op, args, name, number in zip(
                operations, arguments.tolist(), names, numbers.tolist(), strict=True
            )
        ),
        value(int, tree["spikes"], f"{where}/spikes"),
        tuple(texts(tree["states"], f"{where}/states")),
        value(tuple[int, ...], tree["after"], f"{where}/after"),
    )


def _constant(tree: Any, where: str) -> Any:
    """One integer, or an array of int32."""
    only(tree, ("value",), where)
    raw = tree["value"]
    single = np.ndim(raw) == 0
    return value(int if single else NDArray[np.int32], raw, f"{where}/value")
