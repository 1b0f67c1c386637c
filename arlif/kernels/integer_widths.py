"""Which lanes a neuron's integers fit, by their proven intervals."""

from arlif.core.graph import Graph, Op
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.ranges import INT32, Interval, width, within
from arlif.core.tables import LookupTable
from arlif.kernels.integer_printer import IntegerKernel, saturated_sums

INT16: Interval = (-(1 << 15), (1 << 15) - 1)
LARGEST_FACTOR = (1 << 16) - 1
CELLS = 256
"""Entries of the largest table that lanes of 16 bits look up."""


def fits_16_bits(neuron: IntegerNeuron, kernel: IntegerKernel) -> bool:
    """Whether lanes of 16 bits compute every bit of a neuron's step."""
    graph, found = neuron.graph, neuron.intervals()
    saturated = saturated_sums(graph)
    exact = saturated | _may_wrap(graph, saturated)
    return (
        neuron.state_format.bits <= 16
        and neuron.factor_bits <= 15
        and all(_fits_cells(table) for table in neuron.tables.values())
        and all(_same_cells([neuron.tables[name] for name in names]) for names in kernel.joined)
        and all(
            found[node.args[1]][0] >= 0 and found[node.args[1]][1] <= LARGEST_FACTOR
            for node in graph.nodes
            if node.op is Op.MULTIPLY
        )
        and all(place in exact or within(interval, INT16) for place, interval in enumerate(found))
    )


def is_usual(neuron: IntegerNeuron, kernel: IntegerKernel) -> bool:
    """Whether states have all of 16 bits, and the constants of the layer that multiply are < 1."""
    nodes, one = neuron.graph.nodes, 1 << neuron.factor_bits
    factors = [nodes[node.args[1]] for node in nodes if node.op is Op.MULTIPLY]
    constants = [node.name for node in factors if node.op is Op.PARAMETER]
    below = kernel.per_neuron or all(neuron.constants[name] < one for name in constants)
    return below and neuron.state_format.bits == 16


def has_wide_products(neuron: IntegerNeuron) -> bool:
    """Whether a product of the step can leave 32 bits."""
    graph, found = neuron.graph, neuron.intervals()
    products = [
        value * factor
        for node in graph.nodes
        if node.op is Op.MULTIPLY
        for value in found[node.args[0]]
        for factor in found[node.args[1]]
    ]
    return not all(within((product, product), INT32) for product in products)


def joined_fields(tables: list[LookupTable]) -> list[tuple[int, int]] | None:
    """(first bit, bits) of each table's values in one of 32 bits, or None where they do not fit."""
    if not _same_cells(tables):
        return None
    fields, first = [], 0
    for table in tables:
        bits = width((int(table.values.min()), int(table.values.max())))
        fields.append((first, bits))
        first += bits
    return fields if first <= 32 else None


def _may_wrap(graph: Graph, saturated: frozenset[int]) -> frozenset[int]:
    """Values read by sums, choices and as factors alone: these are right modulo 2**16."""
    free = set(range(len(graph.nodes))) - {graph.spikes, *graph.after}
    for place, node in enumerate(graph.nodes):
        match node.op:
            case Op.MULTIPLY | Op.WHERE | Op.SELECT:
                free.discard(node.args[0])
            case Op.ADD | Op.SUB | Op.NEG if place not in saturated:
                pass
            case _:
                free.difference_update(node.args)
    return frozenset(free)


def _fits_cells(table: LookupTable) -> bool:
    return table.values.size <= CELLS and table.shift <= 15 and within((table.low,) * 2, INT16)


def _same_cells(tables: list[LookupTable]) -> bool:
    cells = {(table.low, table.shift, table.values.size) for table in tables}
    return len(cells) == 1
