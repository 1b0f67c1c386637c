"""Memory: what a machine does not have is an answer to a user; what is used again is kept."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL

from arlif.base.errors import ArlifError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
"""Options of mallopt, by their numbers in glibc's header."""
_NEVER = -1
"""A threshold that nothing reaches."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = 64 << 20, 32 << 20, 1 << 16
"""What glibc's own rules come to in a process that has freed large tensors (mallopt(3))."""

_REFUSALS = (
    "not enough memory",
    "tried to allocate",
    "out of memory",
    "Storage size calculation overflowed",
)
"""What torch says in a RuntimeError where it cannot get memory, torch.OutOfMemoryError included."""


@contextmanager
def enough_memory(cure: str) -> Iterator[None]:
    """Raise one ArlifError, with the cure, where the block asks for more memory than there is."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), "")
        refused = any(words in reason for words in _REFUSALS)
        if isinstance(error, RuntimeError) and not refused:
            raise
        reason = reason[max(0, reason.find("you tried")) :]
        raise ArlifError(f"there is not enough memory ({reason or 'for this'}); {cure}") from error


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """While open, memory that was freed stays with the process, where the C library is glibc.

    Otherwise glibc returns every tensor above 32 MiB to the kernel, which gives zeroed pages anew
    at the next step: a fifth of a float training's time on a CPU, half of an integer one's.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    library = CDLL(None)
    library.mallopt(_M_MMAP_MAX, 0)
    library.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        library.mallopt(_M_MMAP_MAX, _MMAP_MAX)
        library.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)
        library.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
        library.malloc_trim(0)
