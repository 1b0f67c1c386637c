"""A worker of `make test` that dies ends the run in seconds, with an error that names the test."""

import re
import shlex
import shutil
import subprocess
import sys
import time

import pytest
from support.places import ROOT

pytest.importorskip("xdist")

OTHERS = 6
"""Test files beside the one that dies; each waits for longer than the run may take."""
PATIENCE = 100
DIES = {
    "in a test": "def test_dies(): os.kill(os.getpid(), signal.SIGKILL)",
    "in collection": "os._exit(0) if os.environ.get('PYTEST_XDIST_WORKER') == 'gw0' else None",
}


def options() -> list[str]:
    """How `make test` calls pytest."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^test:.*\n\t\S*/pytest (.*)$", makefile, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.parametrize("how", DIES)
def test_the_run_ends(how, tmp_path):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    text = f"import os\nimport signal\n\n\ndef test_before(): pass\n\n\n{DIES[how]}\n"
    (tmp_path / "test_a.py").write_text(text)
    waits = f"import time\n\ndef test_waits(): time.sleep({PATIENCE})\n"
    for number in range(OTHERS):
        (tmp_path / f"test_other{number}.py").write_text(waits)
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), *options()]
    done = subprocess.run(
        [*command, str(tmp_path), f"--rootdir={tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert time.monotonic() - started < PATIENCE / 2
    assert done.returncode != 0
    if how == "in a test":
        assert "crashed while running 'test_a.py::test_dies'" in done.stdout
