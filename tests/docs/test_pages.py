"""The trees and tables of the pages for the next person are those of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.places import DOCS, ROOT

INDEX, ARCHITECTURE, EXTENDING = (
    (DOCS / name).read_text(encoding="utf-8")
    for name in ("index.md", "architecture.md", "extending.md")
)
PACKAGES = ("arlif", "export", "hw_sim")


def listed() -> list[str]:
    """The paths of architecture.md's tree, in its order, as arlif/core/maps."""
    (block,) = re.findall(r"^```\n(arlif/\n.*?)^```", ARCHITECTURE, re.DOTALL | re.MULTILINE)
    above: list[str] = []
    paths = []
    for line in block.splitlines():
        indent, name = re.match(r"( *)(\S+)", line).groups()  # type: ignore[union-attr]
        above = [*above[: len(indent) // 2], name.strip("/")]
        paths.append("/".join(above))
    return paths


ROOMS = [path for path in listed() if path.count("/") == 1]


def test_every_folder_stands_in_the_tree() -> None:
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for ending in ("py", "toml")
        for path in (ROOT / package).rglob(f"*.{ending}")
    }
    assert folders <= {*listed()}


def test_every_module_beside_folders_stands_in_the_tree() -> None:
    modules = {
        p.relative_to(ROOT).as_posix() for k in PACKAGES for p in (ROOT / k).glob("[!_]*.py")
    }
    assert modules <= {*listed()}


def test_what_stands_in_the_tree_is_there() -> None:
    assert not [path for path in listed() if not (ROOT / path).exists()]
    assert len({*listed()}) == len(listed())


def room(name: str) -> str | None:
    """The room of a module that is named with dots; None for a package by itself and others'."""
    path = "/".join(name.split(".")[:2])
    found = [r for r in ROOMS if r.removesuffix(".py") == path]
    return found[0] if found else None


def imported(path: Path) -> Iterator[str]:
    """What a file imports, at once, late or by name in a text such as "export.nir:write_nir"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            case ast.Constant(value=str() as text) if re.fullmatch(r"\w+(\.\w+)+(:\w+)?", text):
                yield text.partition(":")[0]


@pytest.mark.parametrize("place", ROOMS)
def test_a_room_imports_only_rooms_that_stand_above_it(place: str) -> None:
    files = [ROOT / place] if place.endswith(".py") else [*(ROOT / place).rglob("*.py")]
    rooms = {room(name) for path in files for name in imported(path)} - {None, place}
    allowed = {*ROOMS[: ROOMS.index(place)]}
    assert rooms <= allowed


@pytest.mark.parametrize("text", [ARCHITECTURE, EXTENDING], ids=["architecture", "extending"])
def test_what_the_tables_name_is_there(text: str) -> None:
    named = [
        n for row in re.findall(r"^\|.*", text, re.MULTILINE) for n in re.findall("`(.*?)`", row)
    ]
    paths = [name for name in named if "/" in name and "NAME" not in name and "[" not in name]
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_page_is_reached_from_the_index() -> None:
    targets = {(DOCS / link).resolve() for link in re.findall(r"\]\(([^)#]+)", INDEX)}
    assert {*DOCS.rglob("*.md")} - {DOCS / "index.md"} <= targets
    assert {ROOT / "README.md", ROOT / "CONTRIBUTING.md"} <= targets


def test_the_tests_to_copy_are_named_in_every_section() -> None:
    sections = EXTENDING.split("\n## ")[1:]
    assert [section.split("\n")[0] for section in sections] == [
        "A neuron",
        "A linear map",
        "An engine",
        "A file format",
        "A dataset",
    ]
    for section in sections:
        assert [p for p in re.findall(r"`(tests/[\w/]+\.py)`", section) if (ROOT / p).exists()]


def test_the_targets_of_contributing_are_those_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    said = {*re.findall(r"`make ([\w-]+)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))}
    targets = {*re.findall(r"^([\w-]+):", makefile, re.MULTILINE)}
    assert targets - {"demo", "setup", "clean"} <= said <= targets
