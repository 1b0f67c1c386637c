"""Frozen dataclasses from trees of untrusted values, field by field, by their type hints."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from arlif.base.errors import FormatError, require
from arlif.core.network import NUMERICS_VERSION
from export.hdf5 import Tree

Record = TypeVar("Record")

SCALARS: dict[type, str] = {bool: "b", int: "iu", float: "f"}
"""The kinds of numpy value that are read as a Python number."""


def build(cls: type[Record], tree: Any, where: str) -> Record:
    """An instance of dataclass `cls` whose fields are the entries of `tree`.

    Raises FormatError for a missing, unexpected or wrongly typed field, and whatever the
    dataclass itself raises for values that break its rules.
    """
    hints = get_type_hints(cls)
    names = [f.name for f in fields(cls) if f.init]  # type: ignore[arg-type]
    only(tree, names, where)
    return cls(**{name: value(hints[name], tree[name], f"{where}/{name}") for name in names})


def only(tree: Any, names: Sequence[str], where: str) -> None:
    """Raise FormatError unless a tree is a group of exactly these names."""
    require(isinstance(tree, dict), f"{where} must be a group", FormatError)
    require(
        set(tree) == set(names),
        f"{where} must have the fields {', '.join(names)}; it has {', '.join(tree) or 'none'}",
        FormatError,
    )


def texts(raw: Any, where: str) -> list[str]:
    """A list of texts. Raises FormatError where it is none."""
    found = np.asarray(raw)
    require(
        found.ndim == 1 and (found.dtype.kind == "U" or not found.size),
        f"{where} must be a list of texts, not {found.dtype} of shape {found.shape}",
        FormatError,
    )
    return [str(text) for text in found]


def value(hint: Any, raw: Any, where: str) -> Any:
    """`raw` as the type `hint` says. Raises FormatError where it is of another kind."""
    if isinstance(hint, type) and is_dataclass(hint):
        return build(hint, raw, where)
    if get_origin(hint) is tuple:
        return _integers(raw, where)
    if hint is str:
        require(isinstance(raw, str), f"{where} must be text", FormatError)
        return raw
    found = np.asarray(raw)
    if hint in SCALARS:
        require(
            found.ndim == 0 and found.dtype.kind in SCALARS[hint],
            f"{where} must be one {hint.__name__}, not {found.dtype} of shape {found.shape}",
            FormatError,
        )
        return found.item()
    require(
        get_origin(hint) is np.ndarray,
        f"{where} is {hint}; files hold bool, int, float, str, tuples of int, numpy arrays and "
        "dataclasses of them: give the field one of these types",
        FormatError,
    )
    dtype = np.dtype(get_args(get_args(hint)[1])[0])
    require(found.dtype == dtype, f"{where} must hold {dtype}, not {found.dtype}", FormatError)
    return found


def record_tree(record: Any) -> Tree:
    """The fields of a dataclass by name, those of dataclasses inside it too."""
    items = {f.name: getattr(record, f.name) for f in fields(record) if f.init}
    return {n: record_tree(item) if is_dataclass(item) else item for n, item in items.items()}


def typed_tree(record: Any) -> Tree:
    """A tree that says in `type` of which class the record is; `build_typed` reads it."""
    return record_tree(record) | {"type": type(record).__name__}


def build_typed(tree: Any, types: Mapping[str, type[Record]], where: str) -> Record:
    """The dataclass that stands in `type` beside its fields, one of `types`; errors as in build."""
    kind = value(str, entry(tree, "type"), f"{where}/type")
    require(
        kind in types,
        f"{where} is a {kind}; this arlif knows {', '.join(types)}: read the file with the arlif "
        "that wrote it",
        FormatError,
    )
    return build(types[kind], {n: item for n, item in tree.items() if n != "type"}, where)


def entry(tree: Any, *names: str) -> Any:
    """What stands in a tree under names, one inside the other. Raises FormatError."""
    for depth, name in enumerate(names):
        require(
            isinstance(tree, dict) and name in tree,
            f"the field {'/'.join(names[: depth + 1])} is missing; export the network again",
            FormatError,
        )
        tree = tree[name]
    return tree


FORMAT_VERSION = 4
"""Of the layout of .nir and .net files; since 2 a neuron's step travels in the file, since 3 a
projection may hold ORs of spikes, since 4 a readout may read a state and a neuron may never fire.
"""
SPIKES_ONLY = 3
"""The layout of files without what came with 4, still read and written."""


def versions(layout: int) -> Tree:
    """What a file says of itself."""
    return {"format_version": layout, "numerics_version": NUMERICS_VERSION}


def require_versions(tree: Any) -> None:
    """Raise FormatError where a file has another layout, or another integer specification."""
    layout = value(int, tree.get("format_version", 1), "format_version")
    require(
        layout in (SPIKES_ONLY, FORMAT_VERSION),
        f"the file has layout {layout}, this arlif reads layouts {SPIKES_ONLY} and "
        f"{FORMAT_VERSION}; quantize or export the network again, or install the arlif that wrote "
        "it",
        FormatError,
    )
    require_numerics_version(
        value(int, entry(tree, "numerics_version"), "numerics_version"), "the file"
    )


def require_numerics_version(found: Any, file: object) -> None:
    """Raise FormatError where a file was written for another integer specification."""
    require(
        found == NUMERICS_VERSION,
        f"{file} is written for numerics version {found}, this arlif has version "
        f"{NUMERICS_VERSION}; quantize again or install the arlif that wrote it",
        FormatError,
    )


def _integers(raw: Any, where: str) -> tuple[int, ...]:
    found = np.asarray(raw)
    require(
        found.ndim == 1 and found.dtype.kind in "iu",
        f"{where} must be a list of integers, not {found.dtype} of shape {found.shape}",
        FormatError,
    )
    return tuple(int(n) for n in found)


def difference(want: Tree, got: Tree, where: str = "") -> str | None:
    """The path of the first entry in which two trees differ: name, dtype, shape or content.

    Single numbers and texts may differ in width, not in kind; an empty group is like none.
    """
    want, got = ({k: v for k, v in tree.items() if not _is_empty(v)} for tree in (want, got))
    for name in sorted(want.keys() | got.keys()):
        path = f"{where}/{name}"
        if name not in want or name not in got:
            return path
        a, b = want[name], got[name]
        if isinstance(a, dict) and isinstance(b, dict):
            inner = difference(a, b, path)
            if inner is not None:
                return inner
        elif isinstance(a, dict) or isinstance(b, dict) or not _same(a, b):
            return path
    return None


def _is_empty(entry: Any) -> bool:
    return isinstance(entry, dict) and not entry


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    scalars = a.ndim == b.ndim == 0 or a.dtype.kind == "U"
    alike = a.dtype.kind == b.dtype.kind if scalars else a.dtype == b.dtype
    return alike and np.array_equal(a, b)
