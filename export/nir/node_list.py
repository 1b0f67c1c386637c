"""A NIR file by whatever tool as a checked list of nodes: sources before targets, no nesting."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

import numpy as np

from arlif.base.errors import FormatError, require
from arlif.base.reached import reached
from arlif.core.maps import Shape
from export.hdf5 import Tree

BOUNDARY = ("Input", "Output")


@dataclass(frozen=True)
class Node:
    """A node and the names of the nodes whose outputs it sums.

    late: those sources that lead back into a cycle: what they give arrives one time step later.
    """

    name: str
    kind: str
    fields: Tree
    sources: tuple[str, ...]
    late: frozenset[str] = frozenset()


def module_name(name: str, taken: Callable[[str], bool]) -> str:
    """What a node is called in torch modules, and in the Python that torch.fx makes of them.

    No dots, no keyword, no self, letters as Python's parser leaves them, and nothing that is taken.
    """
    word = re.sub(r"\W", "_", unicodedata.normalize("NFKC", name))
    while not word or iskeyword(word) or word == "self" or taken(word):
        word += "_"
    return word


def summed_shape(node: Node, shapes: Mapping[str, Shape]) -> Shape:
    """The one shape of all that a node sums. Raises FormatError where they differ."""
    found = {shapes[source] for source in node.sources}
    require(
        len(found) == 1,
        f"{node.name} sums different shapes, {', '.join(map(str, sorted(found)))}",
        FormatError,
    )
    return found.pop()


def read_graph(tree: Any) -> list[Node]:
    """The nodes of a NIR graph, sources before targets but for late ones; inner graphs unfolded.

    The first node is the only Input, the last the only Output. The edge that closes a cycle, walked
    from the Input on, is late. Raises FormatError for dangling or doubled edges and for nodes that
    the Input does not reach or that do not reach the Output.
    """
    nodes, edges = _unfold(tree, "")
    sources = _sources(nodes, edges)
    inner = {name for name in nodes if "." in name and _kind(nodes[name], name) in BOUNDARY}
    for kind in BOUNDARY:
        outer = [n for n in nodes if n not in inner and _kind(nodes[n], n) == kind]
        require(
            len(outer) == 1,
            f"the graph must have one {kind} node, it has {len(outer)}: "
            f"{', '.join(outer) or 'none'}",
            FormatError,
        )
    start = next(
        name for name in nodes if name not in inner and _kind(nodes[name], name) == "Input"
    )
    late = _late(sources, start)
    ordered = _sort(sources, late)
    result = []
    for name in ordered:
        kind = "Identity" if name in inner else _kind(nodes[name], name)
        require(
            bool(sources[name]) != (kind == "Input"),
            f"{name} ({kind}) {'has' if sources[name] else 'receives'} "
            f"{'sources' if sources[name] else 'nothing'}; every node but the Input is driven",
            FormatError,
        )
        behind = frozenset(source for source in sources[name] if (source, name) in late)
        result.append(Node(name, kind, nodes[name], tuple(sources[name]), behind))
    output = next(node for node in result if node.kind == "Output")
    leading = _leading(sources, output.name)
    idle = [n.name for n in result if n.name not in leading]
    require(not idle, f"these nodes lead nowhere: {', '.join(idle)}", FormatError)
    after = [n.name for n in result if output.name in n.sources]
    require(not after, f"{', '.join(after)} follow the Output; nothing may", FormatError)
    return [*(node for node in result if node is not output), output]


def _unfold(tree: Any, prefix: str) -> tuple[dict[str, Tree], list[tuple[str, str]]]:
    """Nodes and edges with inner graphs laid open; "a" inside graph "g" becomes "g.a"."""
    where = prefix or "the file"
    nodes, pairs = _graph_fields(tree, where)
    flat: dict[str, Tree] = {}
    edges: list[tuple[str, str]] = []
    entry: dict[str, str] = {}
    leave: dict[str, str] = {}
    for name, node in nodes.items():
        path = prefix + name
        require(isinstance(node, dict), f"node {path} must be a group", FormatError)
        require(path not in flat, _twice(path), FormatError)
        if _kind(node, path) != "NIRGraph":
            entry[name] = leave[name] = path
            flat[path] = node
            continue
        inner, inner_edges = _unfold(node, f"{path}.")
        both = flat.keys() & inner.keys()
        require(not both, _twice(min(both, default="")), FormatError)
        flat |= inner
        edges += inner_edges
        entry[name] = _only(inner, f"{path}.", "Input")
        leave[name] = _only(inner, f"{path}.", "Output")
    for source, target in pairs:
        for end in (source, target):
            require(
                end in nodes,
                f"the edge {source} -> {target} in {where} names a missing node, {end}",
                FormatError,
            )
        edges.append((leave[source], entry[target]))
    return flat, edges


def _twice(path: str) -> str:
    return f"two nodes are called {path}, one of them inside another graph; rename one"


def _graph_fields(tree: Any, where: str) -> tuple[dict[str, Any], list[list[str]]]:
    require(
        isinstance(tree, dict) and isinstance(tree.get("nodes"), dict) and "edges" in tree,
        f"{where} holds no NIR graph: nodes and edges are missing",
        FormatError,
    )
    edges = np.asarray(tree["edges"])
    require(
        edges.ndim == 2 and edges.shape[1] == 2 and edges.dtype.kind in "US",
        f"the edges of {where} must be pairs of node names, not {edges.dtype} {edges.shape}",
        FormatError,
    )
    return tree["nodes"], edges.astype(str).tolist()


def _kind(node: Tree, name: str) -> str:
    kind = node.get("type")
    require(isinstance(kind, str), f"node {name} has no type", FormatError)
    return str(kind)


def _only(nodes: dict[str, Tree], prefix: str, kind: str) -> str:
    here = [n for n in nodes if "." not in n.removeprefix(prefix) and _kind(nodes[n], n) == kind]
    require(
        len(here) == 1,
        f"the graph {prefix.rstrip('.')} must have one {kind} node, not {len(here)}",
        FormatError,
    )
    return here[0]


def _sources(nodes: dict[str, Tree], edges: list[tuple[str, str]]) -> dict[str, list[str]]:
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        require(
            source not in sources[target],
            f"the edge {source} -> {target} is given twice; NIR allows it once",
            FormatError,
        )
        sources[target].append(source)
    return sources


def _targets(sources: dict[str, list[str]]) -> dict[str, list[str]]:
    targets: dict[str, list[str]] = {name: [] for name in sources}
    for name, before in sources.items():
        for source in before:
            targets[source].append(name)
    return targets


def _late(sources: dict[str, list[str]], start: str) -> set[tuple[str, str]]:
    """The edges that close a cycle, walked in depth from the Input, nodes as the file has them."""
    targets = _targets(sources)
    found: set[tuple[str, str]] = set()
    seen, above = {start}, {start}
    stack = [(start, iter(targets[start]))]
    while stack:
        name, rest = stack[-1]
        target = next(rest, None)
        if target is None:
            above.remove(name)
            stack.pop()
        elif target in above:
            found.add((name, target))
        elif target not in seen:
            seen.add(target)
            above.add(target)
            stack.append((target, iter(targets[target])))
    return found


def _leading(sources: dict[str, list[str]], end: str) -> set[str]:
    """The nodes from which edges lead to a node, itself too."""
    return reached([end], sources.__getitem__)


def _sort(sources: dict[str, list[str]], late: set[tuple[str, str]]) -> list[str]:
    targets = _targets(sources)
    missing = {
        name: sum((source, name) not in late for source in before)
        for name, before in sources.items()
    }
    ready = [name for name, count in missing.items() if count == 0]
    ordered = []
    while ready:
        ordered.append(ready.pop(0))
        for name in targets[ordered[-1]]:
            if (ordered[-1], name) not in late:
                missing[name] -= 1
                if missing[name] == 0:
                    ready.append(name)
    stuck = [name for name, count in missing.items() if count]
    require(
        not stuck,
        f"{', '.join(stuck)} lie on or behind a cycle that the Input does not reach",
        FormatError,
    )
    return ordered
