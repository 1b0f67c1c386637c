"""Imports point one way, and what a Lava worker touches never loads torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT

ABOVE = {"arlif": {"export", "hw_sim"}, "export": {"hw_sim"}, "hw_sim": set()}
ENTRY = ROOT / "arlif" / "__main__.py"
"""`python -m arlif`, the one file that names a package above it."""


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize("package", ABOVE)
def test_imports_point_down_the_pipeline(package: str) -> None:
    files = [p for p in (ROOT / package).rglob("*.py") if p != ENTRY]
    assert files
    for path in files:
        up = {name for name in imported(path) if name.split(".")[0] in ABOVE[package]}
        assert not up, f"{path.relative_to(ROOT)} imports {up}"


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


def test_modules_stay_small() -> None:
    for package in ABOVE:
        for path in (ROOT / package).rglob("*.py"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 300, f"{path.relative_to(ROOT)} has {lines} lines; split it"
