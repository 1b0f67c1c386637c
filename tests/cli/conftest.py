"""Runs that tests of the command line share."""

import shutil
from pathlib import Path

import pytest
from support.command_line import Cli, exit_code
from support.small_runs import SMALL


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run that is trained and quantized."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    for verb in (("train", folder, *SMALL), ("quantize", folder)):
        assert exit_code(*verb) == 0
    return folder


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it that is exported, too."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("exported") / "run"))
    assert exit_code("export", folder) == 0
    return folder


@pytest.fixture
def imported(exported: Path, tmp_path: Path, cli: Cli) -> Path:
    """Its network alone, as another tool's."""
    assert cli("import", exported / "network.net", tmp_path / "imported")[0] == 0
    return tmp_path / "imported"
