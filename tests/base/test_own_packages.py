"""Where another module has the name of one of our packages, every entry says which and the cure."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULE, _, FUNCTION = PROJECT["scripts"]["arlif"].partition(":")
CONSOLE = ("-P", "-c", f"from {MODULE} import {FUNCTION}; {FUNCTION}()", "--version")
OTHERS = ("export.py", "export/__init__.py", "hw_sim.py", "hw_sim/__init__.py")


def run(folder: Path, *command: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Python in a folder, where `path` is searched before our packages."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (path, str(ROOT))))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def other(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("HELP = 1\n")
    return path


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("entry", ["arlif", "python -m arlif"])
def test_the_command_line_names_what_hides_it(entry, name, tmp_path):
    path = other(tmp_path, name)
    console = entry == "arlif"
    command = CONSOLE if console else ("-m", "arlif", "--version")
    done = run(tmp_path, *command, path=str(tmp_path) if console else "")
    package = name.partition("/")[0].removesuffix(".py")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {path} hides arlif's package {package} ")
    assert "rename it" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_script_beside_learns_it_from_hw_sim(tmp_path):
    path = other(tmp_path, "export.py")
    (tmp_path / "mine.py").write_text("from hw_sim.pipeline import import_run\n")
    done = run(tmp_path, "mine.py")
    assert done.returncode == 1
    assert f"ImportError: {path} hides arlif's package export" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("uses", "named"),
    [
        ("import export as other; other.HELP", True),
        ("from hw_sim import HELP", True),
        ("1 / 0", False),
    ],
)
def test_a_network_of_ones_own_learns_what_we_hide(uses, named, tmp_path):
    (tmp_path / "mine.py").write_text(f"def build():\n    {uses}\n")
    path = other(tmp_path, "hw_sim.py" if "hw_sim" in uses else "export.py")
    np.save(tmp_path / "in.npy", np.zeros((1, 2, 4), np.float32))
    options = ("--calibrate", "in.npy", "--time-steps", "3")
    done = run(tmp_path, *CONSOLE[:-1], "import", "mine.py:build", "run", *options)
    assert done.returncode == 2
    assert "mine.py:build builds no network" in done.stderr
    assert (f"hides {path.name}: rename it" in done.stderr) == named


def test_where_nothing_hides_ours_nothing_is_said(tmp_path):
    other(tmp_path, "mine.py")
    (tmp_path / "export").mkdir()  # without an __init__.py it comes last
    for command in (CONSOLE, ("-m", "arlif", "--version")):
        done = run(tmp_path, *command, path=str(tmp_path))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("arlif ")
