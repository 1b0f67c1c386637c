"""Files are read by another process first: libhdf5 may loop for ever on a damaged one, or crash."""

import atexit
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

from arlif.base.errors import ArlifError, FormatError
from arlif.base.workers import command, environment

LEAST_SECONDS = 5
"""What the smallest file may take of a processor: a thousand times what sound ones do."""
SLOWEST_BYTES_PER_SECOND = 1e6
IDLE = 10
"""How many times as long as it works a process may take where others have the processor."""
MOST_MEMORY = 8 << 30
"""Bytes of the process that tries files: far more than any file needs that is read here."""


def rehearse(path: Path, module: str) -> None:
    """Let another process read a file; it serves this one until that ends, as starting it is slow.

    module: what it runs, a program that calls `serve`. Raises FormatError where that refuses
    the file, crashes or hangs, ArlifError where it lacks a package.
    """
    limit = LEAST_SECONDS + path.stat().st_size / SLOWEST_BYTES_PER_SECOND
    reader = _reader(os.getpid(), module)
    refusal = reader.answer(path.resolve(), limit)
    if refusal is not None:
        if refusal:
            raise FormatError(refusal)
        return
    _reader.cache_clear()
    code, said = reader.end()
    lacks = re.search(r"^(?:ModuleNotFound|Import)Error: (.*)", said, re.MULTILINE)
    if lacks:
        raise ArlifError(
            f"{path} was not read: the process that tries it first cannot start ({lacks[1]}); put "
            "the folder of that package on PYTHONPATH"
        )
    if code in (-signal.SIGPROF, -signal.SIGALRM):
        raise FormatError(f"damaged: still not read after {limit:.0f} s")
    raise FormatError("damaged: the HDF5 library crashed on it")


def serve(read: Callable[[Path], object]) -> None:
    """Answer every line [path, seconds] with why `read` refuses that file, empty where it does not.

    A file that takes as much time of a processor, or more memory, ends the process: not one that
    waits for others on a busy machine, up to IDLE times as long.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for line in sys.stdin:
        name, seconds = json.loads(line)
        _limit(seconds)
        try:
            read(Path(name))
            refusal = ""
        except FormatError as error:
            refusal = str(error)
        _limit(0)
        sys.stdout.write(json.dumps(refusal) + "\n")
        sys.stdout.flush()


def _limit(seconds: float) -> None:
    """End this process after so much work, or IDLE times as long; 0 lets it go on."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, IDLE * seconds)


class _Reader:
    """A process that reads files. It ends with this one, at the end of its standard input."""

    def __init__(self, module: str) -> None:
        self._lock = Lock()
        self._errors = TemporaryFile()  # noqa: SIM115  closed by end
        self._process = subprocess.Popen(
            command(module),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )

    def answer(self, path: Path, limit: float) -> str | None:
        """Why it refuses a file, empty where it does not; None where it has ended instead."""
        given, answers = self._process.stdin, self._process.stdout
        assert given
        assert answers
        with self._lock:
            try:
                given.write(json.dumps([os.fsdecode(path), limit]).encode() + b"\n")
                given.flush()
            except BrokenPipeError:
                return None
            line = answers.readline()
        answer: str | None = json.loads(line) if line.endswith(b"\n") else None
        return answer

    def end(self) -> tuple[int, str]:
        """Its exit code and what it wrote to standard error, once it has ended."""
        try:
            self._process.communicate(timeout=10)
        except (subprocess.TimeoutExpired, ValueError):
            self._process.kill()
            self._process.wait()
        if self._errors.closed:
            return self._process.returncode, ""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")
        self._errors.close()
        return self._process.returncode, said


@cache
def _reader(process: int, module: str) -> _Reader:
    """The reader of a process: one that was forked has its own."""
    reader = _Reader(module)
    atexit.register(_end, reader, process)
    return reader


def _end(reader: _Reader, process: int) -> None:
    """At the exit of a process, end its reader; a fork of it has not started it."""
    if os.getpid() == process:
        reader.end()
