"""Faults of one line in Python source: what they may be, and a seeded sample of them."""

import ast
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

COMPARISONS = {
    "<=": "<",
    "<": "<=",
    ">=": ">",
    ">": ">=",
    "==": "!=",
    "!=": "==",
    "not in": "in",
    "in": "not in",
    "is not": "is",
    "is": "is not",
}
ARITHMETIC = {
    "+": "-",
    "-": "+",
    "*": "+",
    "//": "/",
    "/": "//",
    "%": "//",
    "**": "*",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
}
NAMES = {
    "min": "max",
    "max": "min",
    "all": "any",
    "any": "all",
    "minimum": "maximum",
    "maximum": "minimum",
    "rint": "floor",
    "floor": "ceil",
    "ceil": "floor",
    "round": "int",
    "abs": "int",
    "zeros": "ones",
    "ones": "zeros",
}
SETTLED = ("strict", "frozen", "eq", "slots", "exc_type", "check_invariants")
"""Keywords that state what holds anyway: turned round, they leave a good program as it was."""
Place = ast.expr | ast.stmt


@dataclass(frozen=True)
class Mutation:
    """One line of a file, numbered from 1, and what stands there instead."""

    path: str
    line: int
    before: str
    after: str

    def apply(self, source: str) -> str:
        """The source with the fault."""
        lines = source.splitlines(keepends=True)
        assert lines[self.line - 1].rstrip("\n") == self.before, "another source"
        lines[self.line - 1] = self.after + "\n"
        return "".join(lines)


def mutations(path: str, source: str) -> list[Mutation]:
    """Every fault of one line, in the order of lines; each is Python that means something else."""
    lines, found = source.splitlines(), {}
    for line, start, end, text in _edits(ast.parse(source), lines):
        raw = lines[line - 1].encode()
        after = (raw[:start] + text.encode() + raw[end:]).decode()
        found[line, after] = Mutation(path, line, lines[line - 1], after)
    return [mutation for _, mutation in sorted(found.items())]


def sample(
    rooms: Mapping[str, Sequence[Mutation]], count: int, seed: int
) -> list[tuple[str, Mutation]]:
    """`count` faults with their rooms, as many from each room as from any other.

    A room's lines are equally likely and drawn once at most. Fewer where there are fewer lines.
    """
    drawn: dict[str, list[Mutation]] = {}
    for room, found in rooms.items():
        rng = random.Random(f"{seed} {room}")
        lines: dict[tuple[str, int], list[Mutation]] = {}
        for mutation in found:
            lines.setdefault((mutation.path, mutation.line), []).append(mutation)
        drawn[room] = [rng.choice(lines[key]) for key in rng.sample(sorted(lines), len(lines))]
    turns = range(max(map(len, drawn.values()), default=0))
    dealt = (
        (room, drawn[room][turn]) for turn in turns for room in drawn if turn < len(drawn[room])
    )
    return [item for item, _ in zip(dealt, range(count), strict=False)]


def _edits(tree: ast.AST, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Line, first and last byte in it, and the text that goes there."""
    for node in _code(tree):
        if isinstance(node, ast.Compare):
            for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
                yield from _between(left, right, COMPARISONS, lines)
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from _between(left, right, {"and": "or", "or": "and"}, lines)
        elif isinstance(node, ast.BinOp) and not _is_text(node.right):
            yield from _between(node.left, node.right, ARITHMETIC, lines)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            if node.lineno == node.operand.lineno:
                start, end = node.col_offset, node.operand.col_offset
                between = lines[node.lineno - 1].encode()[start:end].decode()
                yield node.lineno, start, start + len(between.rstrip("(")), ""
        elif isinstance(node, ast.Constant):
            yield from _constants(node)
        elif isinstance(node, ast.Name | ast.Attribute):
            yield from _names(node)
        elif isinstance(node, ast.If | ast.IfExp | ast.While) and _is_one_line(node.test):
            yield _whole(node.test, f"not ({_text(node.test, lines)})")
        elif _is_removable(node) and _is_one_line(node):
            yield _whole(node, "pass")


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that are run and matter: no annotations, decorators, texts or import lists."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.keyword) and child.arg in SETTLED:
                continue
            if isinstance(node, ast.Call) and _is_minus_one(child):
                continue  # whatever fits, to reshape: numpy takes any number below 0 for it
            if isinstance(child, ast.AST):
                yield from _code(child)


def _between(
    left: ast.expr, right: ast.expr, swaps: Mapping[str, str], lines: list[str]
) -> Iterator[tuple[int, int, int, str]]:
    """The operator between two operands on one line, exchanged."""
    if left.end_lineno != right.lineno:
        return
    start, end = left.end_col_offset or 0, right.col_offset
    text = lines[right.lineno - 1].encode()[start:end].decode()
    match = re.fullmatch(r"[\s)]*(.*?)[\s(]*", text)
    if match and match[1] in swaps:
        first = start + match.start(1)
        yield right.lineno, first, first + len(match[1]), swaps[match[1]]


def _constants(node: ast.Constant) -> Iterator[tuple[int, int, int, str]]:
    if isinstance(node.value, bool):
        yield _whole(node, str(not node.value))
    elif isinstance(node.value, int):
        yield _whole(node, str(node.value + 1))
        yield _whole(node, str(node.value - 1) if node.value else "(-1)")
    elif isinstance(node.value, float):
        yield _whole(node, repr(2 * node.value + 1))


def _names(node: ast.Name | ast.Attribute) -> Iterator[tuple[int, int, int, str]]:
    name = node.id if isinstance(node, ast.Name) else node.attr
    if name in NAMES and node.end_lineno is not None and node.end_col_offset is not None:
        start = node.end_col_offset - len(name)
        yield node.end_lineno, start, node.end_col_offset, NAMES[name]


def _is_removable(node: ast.AST) -> TypeGuard[ast.stmt]:
    called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return called or isinstance(node, ast.Raise | ast.AugAssign)


def _is_minus_one(node: object) -> bool:
    return isinstance(node, ast.expr) and ast.unparse(node) == "-1"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_one_line(node: Place) -> bool:
    return node.lineno == node.end_lineno


def _text(node: ast.expr, lines: Iterable[str]) -> str:
    line = list(lines)[node.lineno - 1].encode()
    return line[node.col_offset : node.end_col_offset].decode()


def _whole(node: Place, text: str) -> tuple[int, int, int, str]:
    return node.lineno, node.col_offset, node.end_col_offset or 0, text
