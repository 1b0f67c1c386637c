"""Sigmoids of y and of -y in a step and its gradient: what they have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arlif.core.graph import Node, Op
from arlif.kernels.derivative import Derivative

Argument = tuple[Op, int]
"""SIGMOID or TANH, and the y of sigma(y) and sigma(-y), or of tanh(y)."""


@dataclass(frozen=True)
class Pair:
    """The terms sigma(z) and sigma(-z) of an argument y.

    z is y, or where `condition`, a node, is given: z = y where that is true, else -y.
    """

    plus: int
    minus: int
    condition: int | None


def argument(nodes: Sequence[Node], node: Node) -> Argument:
    """Equal for sigma(y) and sigma(-y)."""
    y = node.args[0]
    return node.op, nodes[y].args[0] if is_negated(nodes, node) else y


def is_negated(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a node is sigma(-y)."""
    return node.op is Op.SIGMOID and nodes[node.args[0]].op is Op.NEG


def turned(of: Derivative, levels: Sequence[int]) -> dict[Argument, int]:
    """The conditions that choose between sigma(y) and sigma(-y), where no other one is wanted.

    They are known before both, by `levels`, and nothing else reads these but their product.
    """
    results = (of.spikes, *of.after, of.of_x, *of.of_states, *of.of_parameters)
    found, other = dict[Argument, set[int]](), _arguments(of.nodes, results)
    for node in of.nodes:
        conditions, ends = node.args[:-2], node.args[-2:]
        sigmoids = len(ends) == 2 and all(of.nodes[n].op is Op.SIGMOID for n in ends)
        both = _arguments(of.nodes, ends)
        if not sigmoids or len(both) > 1 or ends[0] == ends[1]:
            other |= _arguments(of.nodes, node.args)
        elif node.op in (Op.WHERE, Op.SELECT):
            other |= _arguments(of.nodes, conditions)
            for one in both:
                found.setdefault(one, set()).add(conditions[0])
        elif node.op is not Op.TIMES:
            other |= both
    return {
        one: condition
        for one, (condition, *more) in found.items()
        if one not in other and not more and levels[condition] <= levels[one[1]]
    }


def _arguments(nodes: Sequence[Node], places: Iterable[int]) -> set[Argument]:
    """The arguments of those nodes that are sigmoids."""
    some = (nodes[place] for place in places)
    return {argument(nodes, node) for node in some if node.op is Op.SIGMOID}
