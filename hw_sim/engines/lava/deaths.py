"""Processes that the system ended: nobody tells Lava, whose other processes would wait for ever."""

import os
import signal

import psutil

CURES = {
    "SIGKILL": "; is memory short? simulate fewer samples at once",
    "SIGBUS": "; is /dev/shm full? end what fills it or enlarge it (docker run --shm-size)",
}


def dead_child() -> tuple[int, int] | None:
    """A child of this process that was killed or failed: its id and code as Popen gives it.

    Leaves it to its parent's own wait.
    """
    for child in psutil.Process().children():
        try:
            end = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            continue
        if end is not None and end.si_status:
            return child.pid, end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
    return None


def how_it_ended(code: int) -> str:
    """What an exit code of Popen means; negative ones are signals."""
    if code >= 0:
        return f"stopped with exit code {code}"
    name = signal.Signals(-code).name
    return f"was killed by {name}{CURES.get(name, '')}"
