"""Settings and fixtures that tests share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.command_line import Cli, exit_code

pytest_plugins = ["support.dead_workers", "support.seeds"]

# Tests run side by side, each on one core; torch reads this when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if not Path("/dev/nvidiactl").exists():
    # Without a GPU, Triton's kernels are interpreted; Triton reads this when it is imported.
    os.environ.setdefault("TRITON_INTERPRET", "1")

# Tests press Ctrl-C, which a shell that starts a program in the background tells it to ignore.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "arlif",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("arlif")


SLOW_S = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A slow test has an hour, unless it says how long it may take."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_S))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command line: (exit code, standard output, standard error)."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = exit_code(*arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run
