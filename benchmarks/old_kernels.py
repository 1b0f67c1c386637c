"""Kernels of an older commit, and runs that take turns with them. Part of kernels.py."""

import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arlif.kernels.compiler import COMMON, choice, compiled, compiler

OLD = "b8f6af8"
"""The last commit whose kernels were written by hand."""
MMAP_MAX, TRIM_THRESHOLD = -4, -1
"""Options of glibc's mallopt."""
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    """Times of a neuron's old and new kernel, in nanoseconds per neuron and time step: medians.

    ratio: the median of new / old of runs beside each other. moved: bytes that must be read or
    written per neuron and time step. difference: of gradients, the largest between old and new
    relative to the largest gradient; of spikes and integers, how many are not equal.
    """

    direction: str
    neuron: str
    old: float
    new: float
    ratio: float
    moved: float
    difference: float


def has_old() -> bool:
    """Whether git knows OLD."""
    command = ["git", "-C", str(FOLDER), "cat-file", "-e", f"{OLD}^{{commit}}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def old_library(*files: str) -> ctypes.CDLL:
    """The first of these files of OLD's kernels, compiled for this CPU; the others are headers."""
    command = compiler()
    with tempfile.TemporaryDirectory() as folder:
        for name in files:
            shown = ["git", "-C", str(FOLDER), "show", f"{OLD}:arlif/kernels/{name}"]
            content = subprocess.run(shown, check=True, capture_output=True).stdout
            (Path(folder) / name).write_bytes(content)
        library = Path(folder) / "old.so"
        options = (*command, *COMMON, *choice(command))
        library.write_bytes(compiled(options, [Path(folder) / files[0]]))
        return ctypes.CDLL(str(library))


def keep_memory() -> None:
    """Let glibc keep what is freed: what a fresh page costs is not the kernels'."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(MMAP_MAX, 0)
        libc.mallopt(TRIM_THRESHOLD, 2**31 - 1)


def in_turns(
    before: Callable[[], object], after: Callable[[], object], repeats: int
) -> tuple[float, float, float]:
    """Medians: seconds of each, and seconds of the second per second of the first."""
    before(), after()
    pairs = []
    for turn in range(repeats):
        first, second = (before, after) if turn % 2 else (after, before)
        times = seconds(first), seconds(second)
        pairs.append(times if turn % 2 else times[::-1])
    old, new = (statistics.median(times) for times in zip(*pairs, strict=True))
    return old, new, statistics.median(b / a for a, b in pairs)


def seconds(run: Callable[[], object]) -> float:
    """CPU time of this thread."""
    start = time.thread_time()
    run()
    return time.thread_time() - start
