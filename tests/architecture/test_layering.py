"""Imports run one way, one guess finds a file, and a Lava worker never loads torch."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.import_graph import PACKAGES, circles, import_graph, joined
from support.places import ROOT

ENTRY = {("arlif.__main__", "hw_sim.cli")}
"""The command line as `arlif` and `python -m arlif`: the one import that runs up."""
FOLDERS = (*PACKAGES, "tests", "benchmarks", "examples")
CODE = (".py", ".cpp", ".h")
MOST_LINES = 300
FREE = {"__init__", "__main__", "conftest"}
"""Names that Python or pytest gives."""


def room(module: str) -> str:
    """A folder of a package, or a module that lies in a package itself."""
    return ".".join(module.split(".")[:2])


def upward(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    level = {package: number for number, package in enumerate(PACKAGES)}
    return {
        (name, other)
        for name, used in graph.items()
        for other in used
        if level[other.split(".")[0]] > level[name.split(".")[0]]
    }


def files(*endings: str) -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return [path for path in found if path.suffix in endings]


def test_one_import_runs_up() -> None:
    assert upward(import_graph()) == ENTRY


def test_no_circle_joins_modules_or_rooms() -> None:
    graph = import_graph()
    assert len(graph) > 200
    assert not circles(graph)
    assert not circles(joined(graph, {name: room(name) for name in graph}))


def test_the_lowest_rooms_know_nothing_above_them() -> None:
    graph = import_graph()
    rooms = joined(graph, {name: room(name) for name in graph})
    assert rooms["arlif.base"] == set()
    assert rooms["arlif.core"] == {"arlif.base"}
    assert {name for name, used in rooms.items() if "hw_sim.cli" in used} == {"arlif.__main__"}


UP = {
    "plain": "import export.nir",
    "of a name": "from export import nir",
    "late": "def f():\n    from export.nir import write",
    "by importlib": "import importlib\n\nimportlib.import_module('export.nir')",
    "in a table": "HOMES = {'write': 'export.nir'}",
    "as a program": "COMMAND = ['python', '-m', 'export.nir']",
}


@pytest.mark.parametrize("text", UP.values(), ids=UP)
def test_every_way_to_import_is_seen(text: str, tmp_path: Path) -> None:
    write(
        tmp_path, {"arlif/core/ops.py": text, "export/nir/__init__.py": '"""Not arlif.core.ops."""'}
    )
    graph = import_graph(tmp_path)
    assert upward(graph) == {("arlif.core.ops", "export.nir")}
    assert not circles(graph)


def test_circles_are_seen_between_modules_and_between_rooms(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "arlif/core/ops.py": "import arlif.base.errors",
            "arlif/base/errors.py": "import arlif.base.files",
            "arlif/base/files.py": "",
            "arlif/base/lazy.py": "from arlif.core import ops",
        },
    )
    graph = import_graph(tmp_path)
    assert not circles(graph)
    rooms = joined(graph, {name: room(name) for name in graph})
    assert circles(rooms) == [["arlif.base", "arlif.core"], ["arlif.core", "arlif.base"]]
    write(tmp_path, {"arlif/base/files.py": "import arlif.base.errors"})
    assert circles(import_graph(tmp_path)) == [
        ["arlif.base.errors", "arlif.base.files"],
        ["arlif.base.files", "arlif.base.errors"],
    ]


def write(root: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    "modules",
    [
        "arlif.core.network",
        "arlif.run_folder",
        "export.lava",
        "export.nir",
        "export.onnx",
        "hw_sim.engines.integer.reference",
        "hw_sim.engines.lava",
    ],
)
def test_the_integer_side_runs_without_torch(modules: str) -> None:
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_stay_small() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(*CODE)}
    assert len(sizes) > 400
    assert {str(path): lines for path, lines in sizes.items() if lines > MOST_LINES} == {}


def test_a_name_means_one_thing() -> None:
    """Two files of one name are a verb and what it runs, or Python beside its C++."""
    named: dict[str, set[Path]] = {}
    for path in files(*CODE):
        named.setdefault(path.stem, set()).add(path.parent)
    verbs = ROOT / "hw_sim" / "cli"
    twins = {name for name, where in named.items() if len(where - {verbs}) > 1}
    assert twins <= FREE
