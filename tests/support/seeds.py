"""A plugin: what a module, a fixture or a test draws at random is the same in every run.

torch starts from another seed in every process. Each seed comes from a name, so neither the other
tests of a run nor their order change what one draws.
"""

import random
import zlib
from typing import Any

import numpy as np
import pytest
import torch


def seed(name: str) -> None:
    """Seed the generators that are shared by all code: of torch, of NumPy and of Python."""
    value = zlib.crc32(name.encode())
    torch.manual_seed(value)
    np.random.seed(value)  # noqa: NPY002  (libraries draw from it)
    random.seed(value)


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> None:
    """Before a module is imported, which may build networks."""
    seed(collector.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> None:
    """Before a fixture is made."""
    seed(f"{request.node.nodeid} {fixturedef.argname}")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Before a test is called, after all its fixtures are made."""
    seed(pyfuncitem.nodeid)
