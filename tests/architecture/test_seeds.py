"""What tests draw at random is the same in every process and whatever runs before them."""

import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

DRAWS = """
import random

import numpy as np
import pytest
import torch


def draw():
    return torch.rand(1).item(), np.random.rand(), random.random()


IMPORTED = draw()


@pytest.fixture(scope="module")
def of_module():
    return draw()


@pytest.fixture
def of_test():
    return draw()


@pytest.mark.parametrize("number", range(2))
def test_draws(number, of_module, of_test):
    print("drawn", number, IMPORTED, of_module, of_test, draw())
"""


def drawn(folder: Path, *which: str) -> list[str]:
    """What the tests of the module print in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-s", "-p", "support.seeds"]
    light = ["-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *light, "-c", "/dev/null", "--rootdir", folder, *(which or ["test_drawn.py"])],
        cwd=folder,
        env={"PYTHONPATH": str(TESTS), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return re.findall(r"drawn .*\)", done.stdout)


def test_the_same_in_every_run(tmp_path: Path) -> None:
    (tmp_path / "test_drawn.py").write_text(DRAWS)
    (tmp_path / "test_before.py").write_text(f"{DRAWS}\n\nTHEN = torch.rand(5)\n")
    both = drawn(tmp_path)
    assert len(both) == 2
    shared, own = 2, 2  # drawn at import and by the module's fixture; by a test and its fixture
    assert len(set(re.findall(r"0\.\d+", " ".join(both)))) == 3 * (shared + 2 * own)
    assert drawn(tmp_path, "test_drawn.py::test_draws[1]") == both[1:]
    assert drawn(tmp_path, "test_before.py", "test_drawn.py")[2:] == both
