"""Nodes of a graph in words, for names of constants and for what is refused."""

from math import inf

from arlif.core.graph import Graph, Node, Op, dependencies, needed

SIGNS = {Op.ADD: "+", Op.SUB: "-", Op.TIMES: "*", Op.MULTIPLY: "*", Op.OVER: "over", Op.GE: ">="}


def described(graph: Graph, place: int) -> str:
    """A node in words, as short as the equation has it; different constants differ."""
    return _words(graph, place, inf)


def shortly(graph: Graph, place: int) -> str:
    """A node in a line of words, however large the equation is."""
    return _words(graph, place, 80)


def _words(graph: Graph, place: int, longest: float) -> str:
    """A node in words; a part of it that takes more characters than `longest` is left out."""
    texts: dict[int, str] = {}
    for n in needed(graph, [place]):
        text = _text(graph.nodes[n], [texts[arg] for arg in graph.nodes[n].args])
        texts[n] = text if len(text) <= longest else "..."
    return texts[place]


def _text(node: Node, args: list[str]) -> str:
    """A node in words, given its arguments in words."""
    if node.op is Op.NUMBER:
        return repr(node.number).removesuffix(".0")
    if node.op is Op.LOOKUP:
        return f"{node.name}({args[0]})"
    if node.name:
        return node.name
    if node.op in SIGNS:
        return f" {SIGNS[node.op]} ".join(p if " " not in p else f"({p})" for p in args)
    return f"-{args[0]}" if node.op is Op.NEG else f"{node.op.value}({', '.join(args)})"


def variables(graph: Graph, place: int) -> str:
    """What a node depends on, in words."""
    return " and ".join(sorted(dependencies(graph)[place])) or "constants"
