"""Nodes of a graph in words, for names of constants and for what is refused."""

from arlif.core.graph import Graph, Node, Op, dependencies, needed

SIGNS = {Op.ADD: "+", Op.SUB: "-", Op.TIMES: "*", Op.MULTIPLY: "*", Op.OVER: "over", Op.GE: ">="}


def described(graph: Graph, place: int) -> str:
    """A node in words, as short as the equation has it; different constants differ."""
    texts: dict[int, str] = {}
    for n in needed(graph, [place]):
        texts[n] = _text(graph.nodes[n], [texts[arg] for arg in graph.nodes[n].args])
    return texts[place]


def shortly(graph: Graph, place: int) -> str:
    """A node in a line of words, however large the equation is."""
    texts: dict[int, str] = {}
    for n in needed(graph, [place]):
        text = _text(graph.nodes[n], [texts[arg] for arg in graph.nodes[n].args])
        texts[n] = text if len(text) <= 80 else "..."
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
