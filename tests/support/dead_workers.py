"""A plugin: a worker of pytest-xdist that dies ends the run, which fails."""

from typing import Any

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """A run that lost a worker fails; pytest-xdist ends with 0 where no test was running."""
    if error:
        controller = node.config.pluginmanager.getplugin("dsession")
        controller.shouldstop = f"worker {node.gateway.id} died: {error}"


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(report: pytest.TestReport) -> None:
    """A test that ends its worker ends the run at once; xdist lets the other workers finish."""
    pytest.exit(str(report.longrepr), returncode=pytest.ExitCode.TESTS_FAILED)
