"""Trainings that tests of checks share."""

from pathlib import Path

import pytest
from support.crosscheck_runs import RECIPE

from arlif.training import train


@pytest.fixture(scope="session")
def plain(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("plain") / "run"
    train(RECIPE, run, accelerator="cpu")
    return run
