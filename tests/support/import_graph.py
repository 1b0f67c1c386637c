"""Who imports whom: modules of the library by their dotted names, found by reading them."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from support.places import ROOT

PACKAGES = ("arlif", "export", "hw_sim")
"""From the lowest to the highest."""

Graph = dict[str, set[str]]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the library: its dotted name and its file."""
    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    return {_name(path.relative_to(root)): path for path in files}


def import_graph(root: Path = ROOT) -> Graph:
    """The modules that every module names: in imports, also late ones, and in strings.

    A string that is the whole name of a module counts: importlib, lazily and `python -m` take it.
    """
    known = modules(root)
    return {name: _named(path, set(known)) - {name} for name, path in known.items()}


def joined(graph: Graph, rooms: Mapping[str, str]) -> Graph:
    """The graph between rooms; rooms: the room that each module lies in."""
    found: Graph = {room: set() for room in rooms.values()}
    for name, used in graph.items():
        found[rooms[name]] |= {rooms[other] for other in used} - {rooms[name]}
    return found


def circles(graph: Graph) -> list[list[str]]:
    """What is left where all that imports nothing left is taken away, again and again."""
    left = {name: set(used) for name, used in graph.items()}
    while ends := {name for name, used in left.items() if not used & left.keys()}:
        left = {name: used for name, used in left.items() if name not in ends}
    while starts := left.keys() - {other for used in left.values() for other in used}:
        left = {name: used for name, used in left.items() if name not in starts}
    return [[name, *sorted(used & left.keys())] for name, used in sorted(left.items())]


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _named(path: Path, known: set[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= _nearest((alias.name for alias in node.names), known)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            found |= _nearest((f"{node.module}.{alias.name}" for alias in node.names), known)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            found |= {node.value} & known
    return found


def _nearest(names: Iterable[str], known: set[str]) -> set[str]:
    """The modules that these names are or lie in."""
    found = set()
    for name in names:
        while name and name not in known:
            name = name.rpartition(".")[0]
        found |= {name} - {""}
    return found
