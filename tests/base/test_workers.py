"""Worker processes find our code, and only ours, whatever else lies around."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arlif.base import workers

PROBE = "import arlif, sys; print(arlif.__file__, sys.warnoptions)"
CALLER = """
import subprocess
from arlif.base import workers
subprocess.run(workers.command("arlif.probe"), env=workers.environment(), cwd="/", check=True)
"""


def test_code_that_only_the_working_directory_has_is_found_from_elsewhere(tmp_path: Path):
    package = tmp_path / "arlif"
    (package / "base").mkdir(parents=True)
    for folder in (package, package / "base"):
        (folder / "__init__.py").touch()
    (package / "probe.py").write_text(PROBE)
    shutil.copy(workers.__file__, package / "base")
    done = subprocess.run(
        [sys.executable, "-c", CALLER], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{package / '__init__.py'} []\n"


def test_a_worker_never_runs_another_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "arlif").mkdir()
    (tmp_path / "arlif" / "__init__.py").touch()
    (tmp_path / "probe_of_arlif.py").write_text(PROBE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = subprocess.run(
        workers.command("probe_of_arlif"),
        env=workers.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"{workers.ROOT / 'arlif' / '__init__.py'} ")


def test_what_lies_beside_the_caller_hides_nothing_and_warnings_are_no_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "asked").mkdir()
    (tmp_path / "asked" / "probe_of_arlif.py").write_text(PROBE)
    (tmp_path / "arlif.py").write_text("raise ImportError('not this one')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "asked"))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    done = subprocess.run(
        workers.command("probe_of_arlif"),
        env=workers.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{workers.ROOT / 'arlif' / '__init__.py'} []\n"
