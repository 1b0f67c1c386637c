"""What both halves of kernels.py share: kernels of an older commit, and runs that take turns."""

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


@dataclass(frozen=True)
class Row:
    """name: kernel and neuron. Nanoseconds per neuron and time step, the smallest of all runs;

    ratio: the median of those of runs beside each other. equal: whether the results are as equal
    as they must be.
    """

    name: str
    old: float
    new: float
    ratio: float
    equal: bool


def compared(
    name: str,
    before: Callable[[], object],
    after: Callable[[], object],
    updates: int,
    repeats: int,
    equal: bool,
) -> Row:
    """Run both in turn: `updates` neurons and time steps each."""
    pairs = [(_seconds(before), _seconds(after)) for _ in range(repeats)]
    olds, news = zip(*pairs, strict=True)
    each, ratio = 1e9 / updates, statistics.median(b / a for a, b in pairs)
    return Row(name, min(olds) * each, min(news) * each, ratio, equal)


def _seconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


def old_library(files: tuple[str, ...], flags: tuple[str, ...] | None = None) -> ctypes.CDLL:
    """The first of these files of OLD's kernels, compiled; the others are headers.

    flags: of the compiler, by default those of this CPU.
    """
    command = compiler()
    with tempfile.TemporaryDirectory() as folder:
        for name in files:
            shown = ["git", "show", f"{OLD}:arlif/kernels/{name}"]
            content = subprocess.run(shown, check=True, capture_output=True).stdout
            (Path(folder) / name).write_bytes(content)
        options = (*command, *COMMON, *(flags or choice(command)))
        library = Path(folder) / "old.so"
        library.write_bytes(compiled(options, [Path(folder) / files[0]]))
        return ctypes.CDLL(str(library))
