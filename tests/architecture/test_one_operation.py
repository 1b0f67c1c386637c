"""The equation stands once: one operation changed in a step changes every backend."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT, SUPPORT

BEFORE = "h - ops.select(s, neuron.threshold, 0)"
AFTER = "h - ops.multiply(h, neuron.decay)"
FLOAT = ("numpy reals", "torch loop", "C++ float")
INTEGER = ("integer reference", "integer torch", "C++ integer", "Lava", "QAT")


def every_backend(packages: Path, folder: Path) -> dict[str, str]:
    """What every backend makes of LIF with the packages that lie in a folder."""
    paths = os.pathsep.join(map(str, (packages, SUPPORT.parent)))
    command = [sys.executable, str(SUPPORT / "every_backend.py"), str(folder)]
    environment = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads((folder / "found.json").read_text())
    for alike in (FLOAT, INTEGER):
        assert len({found[name] for name in alike}) == 1, alike
    return found


@pytest.mark.lava
@pytest.mark.timeout(600)  # it compiles the changed kernels
def test_one_operation_changed_in_a_step_changes_every_backend(tmp_path: Path) -> None:
    for package in ("arlif", "export", "hw_sim"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    steps = tmp_path / "arlif" / "core" / "steps.py"
    text = steps.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    before = every_backend(tmp_path, tmp_path)
    steps.write_text(text.replace(BEFORE, AFTER), encoding="utf-8")
    after = every_backend(tmp_path, tmp_path)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] == after[name]] == []
