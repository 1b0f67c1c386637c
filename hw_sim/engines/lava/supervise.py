"""Starting, watching and ending worker processes, so that nothing is left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from itertools import dropwhile, islice
from pathlib import Path

import numpy as np
import psutil

from arlif.base.errors import SimulationError, require
from arlif.base.workers import command, environment
from hw_sim.engines.lava.deaths import how_it_ended
from hw_sim.engines.lava.job import FAILURE, Job

POLL_S = 0.05
GRACE_S = 5.0
LOG_LINES = 30
SOCKET = "/pymp-12345678/listener-12345678"
"""What multiprocessing calls one, in the folder of temporary files."""
LONGEST_SOCKET = 107
"""Bytes of a socket's name; Linux, unix(7)."""

Worker = subprocess.Popen[bytes]


def start(folder: Path, module: str = "hw_sim.engines.lava.worker") -> Worker:
    """A worker on the job in `folder`, in a process group of its own, its output in a log.

    Its temporary files lie in `folder`, and so go with it where the worker is killed. Raises
    SimulationError where that has too long a name.
    """
    _require_room_for_sockets(folder)
    with (folder / Job.LOG).open("wb") as log:
        return subprocess.Popen(
            command(module, str(folder), str(os.getpid())),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A Lava process is a thread of its own; threads inside it only compete with the others.
            env={"OMP_NUM_THREADS": "1", **environment(), "TMPDIR": str(folder)},
        )


def _require_room_for_sockets(folder: Path) -> None:
    """Python's processes meet at a socket in their folder of temporary files."""
    size, longest = len(os.fsencode(folder)), LONGEST_SOCKET - len(SOCKET)
    require(
        size <= longest,
        f"Lava's processes meet in {folder}, a name of {size} bytes, of which they can have "
        f"{longest}: set TMPDIR, the folder for temporary files, to a shorter one",
        SimulationError,
    )


def watch(
    workers: dict[Path, Worker], time_limit_s: float, progress: Callable[[int], None]
) -> None:
    """Wait until all workers are done; progress gets the number of samples finished.

    Raises SimulationError when one fails or all together take longer than the limit.
    """
    deadline = time.monotonic() + time_limit_s
    while True:
        states = {folder: worker.poll() for folder, worker in workers.items()}
        for folder, state in states.items():
            if state:
                raise _failure(f"Lava {how_it_ended(state)}", folder)
        progress(sum(samples_done(folder) for folder in workers))
        if None not in states.values():
            return
        if time.monotonic() > deadline:
            folder = next(folder for folder, state in states.items() if state is None)
            raise _failure(
                f"Lava took longer than the limit of {time_limit_s:g} s; "
                "raise the limit or simulate fewer samples",
                folder,
            )
        time.sleep(POLL_S)


def end(worker: Worker) -> None:
    """End a worker and everything it started.

    SIGTERM first: Python's resource tracker survives it and frees the shared memory.
    """
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(worker.pid, sign)
        except ProcessLookupError:
            break
        if _gone(worker, GRACE_S):
            break
    worker.wait()


def _gone(worker: Worker, seconds: float) -> bool:
    """Whether the worker's process group is empty within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        worker.poll()
        if not _group(worker.pid):
            return True
        time.sleep(POLL_S)
    return False


def _group(leader: int) -> list[int]:
    members = []
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


def samples_done(folder: Path) -> int:
    """How far a worker is, 0 while its file is not there or not whole yet."""
    try:
        return int(np.load(folder / Job.DONE, allow_pickle=False)[0])
    except (OSError, EOFError, ValueError):
        return 0


def _failure(what: str, folder: Path) -> SimulationError:
    """In a line what went wrong, and what the log says of it; more of the log as a note."""
    text = (folder / Job.LOG).read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    failed = [index for index, line in enumerate(lines) if line.startswith(FAILURE)]
    start = failed[0] if failed else max(0, len(lines) - LOG_LINES)
    said = lines[start : start + LOG_LINES]
    first = _in_a_line(lines[start:]) if failed else next(reversed(said), "(nothing)")
    error = SimulationError(f"{what}; its log says: {first}")
    error.add_note("\n".join(said))
    return error


def _in_a_line(lines: Sequence[str]) -> str:
    """A process that failed and, where a traceback follows, what was raised.

    Processes that fail at once write between each other's lines.
    """
    failed, *rest = lines
    told = dropwhile(lambda line: not line.startswith("Traceback"), rest)
    others = (" ", "Traceback", FAILURE)
    raised = [line for line in islice(told, 1, None) if not line.startswith(others)]
    return ": ".join([failed, *raised[:1]])
