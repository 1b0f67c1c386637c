"""Memory that a machine does not have is an answer to a user, not a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from arlif.base.errors import ArlifError

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
