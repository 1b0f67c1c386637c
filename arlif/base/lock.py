"""One writer at a time: a lock on a folder that ends with the process that holds it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from arlif.base.errors import ArlifError, WriteError
from arlif.base.files import read_json, sweep, write_text


class InUseError(ArlifError):
    """Another process holds the folder."""


LOCK = ".arlif.lock"
"""The file that is locked. It stays when nobody holds it: removing it could part two processes that
wait for it."""
HOLDER = ".arlif.holder"
"""Says who holds the lock; what a process that was killed has left is not believed."""


@contextmanager
def only_writer(folder: Path, verb: str) -> Iterator[None]:
    """Hold a folder, which is made where there is none, while the block runs.

    verb: what holds it, for those who are refused. The operating system frees the lock when its
    process ends, however it ends; what a killed one had begun to write is removed. A process may
    hold a folder more than once. Raises InUseError where another process holds it, naming verb,
    process and start; WriteError where the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # not where a command line only shows its help

    lock = FileLock(folder / LOCK, timeout=0, is_singleton=True, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        holder = _holder(folder)
        raise InUseError(
            f"{folder} is in use by {holder}; wait until it has ended, or take another folder"
        ) from None
    except OSError as error:
        raise WriteError(
            f"cannot write into {folder}: {error.strerror}; choose another folder", error.errno
        ) from None
    outermost = lock.lock_counter == 1
    try:
        if outermost:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            content = {"verb": verb, "process": os.getpid(), "since": now}
            sweep(folder)
            write_text(folder / HOLDER, json.dumps(content))
        yield
    finally:
        if outermost:
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    """Who holds a lock, in words."""
    try:
        content = read_json(folder / HOLDER)
        return f"arlif {content['verb']} (process {content['process']}, since {content['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
