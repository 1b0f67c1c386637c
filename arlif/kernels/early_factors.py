"""Gradients whose factors that a step already knows are multiplied first, so that it can keep them.

(g a) b and (c ? g a : -(g a)) b become g (a b) and g (c ? a b : -(a b)), where g is a gradient and
nothing else reads what is left out.
"""

from dataclasses import replace

from arlif.core.graph import Node, Op
from arlif.kernels.derivative import OF_SPIKES, Derivative, of_state

Scaled = tuple[int, int]
"""A gradient and the place of its factor."""


def with_early_factors(of: Derivative) -> Derivative:
    """The same derivative with such factors gathered."""
    nodes, places = list[Node](), dict[Node, int]()

    def add(node: Node) -> int:
        if node not in places:
            places[node] = len(nodes)
            nodes.append(node)
        return places[node]

    late, readers = _late(of), _readers(of)
    new = list[int]()

    def scaled(place: int, inside: set[int]) -> Scaled | None:
        """A gradient as another one times what is early; `inside` grows by what is left out."""
        node = of.nodes[place]
        inside.add(place)
        match node.op:
            case Op.TIMES if (pair := _apart(node, late)) is not None:
                return pair[0], new[pair[1]]
            case Op.NEG if (found := scaled(node.args[0], inside)) is not None:
                return found[0], add(Node(Op.NEG, (found[1],)))
            case Op.WHERE if not late[node.args[0]]:
                a, b = (scaled(arg, inside) for arg in node.args[1:])
                if a is not None and b is not None and a[0] == b[0]:
                    return a[0], add(Node(Op.WHERE, (new[node.args[0]], a[1], b[1])))
        return None

    for place, node in enumerate(of.nodes):
        inside = set[int]()
        pair = _apart(node, late)
        found = scaled(pair[0], inside) if pair is not None else None
        if pair and found and all(readers[n] <= inside | {place} for n in inside):
            factor = add(Node(Op.TIMES, (found[1], new[pair[1]])))
            new.append(add(Node(Op.TIMES, (new[found[0]], factor))))
        else:
            new.append(add(replace(node, args=tuple(new[arg] for arg in node.args))))
    after, of_states, of_parameters = (
        tuple(new[place] for place in results)
        for results in (of.after, of.of_states, of.of_parameters)
    )
    return replace(
        of,
        nodes=tuple(nodes),
        spikes=new[of.spikes],
        after=after,
        of_x=new[of.of_x],
        of_states=of_states,
        of_parameters=of_parameters,
    )


def _late(of: Derivative) -> list[bool]:
    """For every node, whether only the gradient knows it."""
    given, late = {OF_SPIKES, *map(of_state, of.states)}, list[bool]()
    for node in of.nodes:
        own = node.op is Op.INPUT and node.name in given
        late.append(own or any(late[arg] for arg in node.args))
    return late


def _readers(of: Derivative) -> list[set[int]]:
    """For every node, the nodes that read it; a result is read from outside, by node -1."""
    readers = [set[int]() for _ in of.nodes]
    for place, node in enumerate(of.nodes):
        for arg in node.args:
            readers[arg].add(place)
    for place in (of.spikes, of.of_x, *of.after, *of.of_states, *of.of_parameters):
        readers[place].add(-1)
    return readers


def _apart(node: Node, late: list[bool]) -> Scaled | None:
    """The two factors of a product, the late and the early one."""
    if node.op is not Op.TIMES or late[node.args[0]] == late[node.args[1]]:
        return None
    a, b = node.args
    return (a, b) if late[a] else (b, a)
