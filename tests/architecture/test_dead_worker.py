"""A worker of `make test` that dies ends the run at once, with an error that names the test."""

import re
import shlex
import subprocess
import sys

import pytest
from support.places import ROOT

pytest.importorskip("xdist")

PLUGIN = "support.dead_workers"
OTHERS = 6
"""Test files beside the one that dies; each waits for longer than the run may take."""
PATIENCE = 240
"""Seconds; a run that ends takes one of a core, most of it to start three processes."""
DIES = {
    "in a test": (
        "def test_dies(): os.kill(os.getpid(), signal.SIGKILL)",
        "crashed while running 'test_a.py::test_dies'",
    ),
    "in collection": (
        "os._exit(0) if os.environ.get('PYTEST_XDIST_WORKER') == 'gw0' else None",
        "worker gw0 died",
    ),
}
"""How it dies, and what the run says of it."""


def options() -> list[str]:
    """How `make test` calls pytest."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^test:.*\n\t\S*/pytest (.*)$", makefile, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.parametrize("how", DIES)
def test_the_run_ends(how, tmp_path, pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin(PLUGIN)
    (tmp_path / "conftest.py").write_text(f"pytest_plugins = [{PLUGIN!r}]\n")
    dies, said = DIES[how]
    text = f"import os\nimport signal\n\n\ndef test_before(): pass\n\n\n{dies}\n"
    (tmp_path / "test_a.py").write_text(text)
    waits = f"import time\n\ndef test_waits(): time.sleep({PATIENCE})\n"
    for number in range(OTHERS):
        (tmp_path / f"test_other{number}.py").write_text(waits)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), *options()]
    light = ["-p", "no:hypothesispytest"]  # which would load hypothesis
    done = subprocess.run(
        [*command, *light, str(tmp_path), f"--rootdir={tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode != 0
    assert said in done.stdout
