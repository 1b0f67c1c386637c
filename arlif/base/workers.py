"""Worker processes: Python that finds our modules, wherever they lie, and ends with its caller."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.1


def command(module: str, *arguments: str) -> list[str]:
    """Run a module as a program; what happens to lie in the working directory is not imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """This process's environment, in which our modules are found and warnings are no errors.

    Ours come first, so that no worker runs another clone. Not all of sys.path: what lies beside a
    script would hide packages that only workers import.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    paths = (str(ROOT), inherited.get("PYTHONPATH"))
    return inherited | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def leave_with(caller: int) -> None:
    """Let this process be killed once the process that started it, `caller`, is gone.

    For workers in the process group of their caller, of joblib; others, of a cluster, stay.
    """
    if os.getppid() == caller:
        _watch(caller)


def begin_with(caller: int) -> None:
    """What a worker of joblib does first: as leave_with, and it ends where `caller` is gone.

    A worker that waits for its first call would wait on. In a thread of the caller it does nothing.
    """
    if os.getpid() == caller:
        return
    if os.getppid() != caller:
        os.kill(os.getpid(), signal.SIGKILL)
    _watch(caller)


@cache
def _watch(caller: int) -> None:
    _once_gone(caller, lambda: os.kill(os.getpid(), signal.SIGKILL))


def end_with(caller: int) -> None:
    """End this process group, by SIGTERM, once the process that started it is gone."""
    _once_gone(caller, lambda: os.killpg(0, signal.SIGTERM))


def _once_gone(caller: int, end: Callable[[], None]) -> None:
    """Call `end`, from a thread, once `caller` is no longer the parent of this process."""

    def watch() -> None:
        while os.getppid() == caller:
            time.sleep(POLL_S)
        end()

    threading.Thread(target=watch, daemon=True).start()
