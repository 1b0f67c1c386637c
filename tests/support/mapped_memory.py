"""The shared memory that a running simulation on Lava has mapped."""

from contextlib import suppress
from pathlib import Path

import psutil


def mapped(worker: str = "hw_sim.engines.lava.worker") -> int:
    """Bytes of shared memory that the processes of the running simulation have mapped.

    worker: the module that they run.
    """
    segments = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(OSError, psutil.NoSuchProcess):
            if worker not in process.cmdline():
                continue
            for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
                if "/dev/shm/" in line:
                    low, high = (int(end, 16) for end in line.split()[0].split("-"))
                    segments[line.split()[5]] = high - low
    return sum(segments.values())
