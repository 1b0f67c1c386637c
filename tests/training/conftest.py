"""A finished training that tests share."""

import pytest
from support.training_runs import SMALL

from arlif.training import train


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "finished"
    return run, train(SMALL, run, accelerator="cpu")
