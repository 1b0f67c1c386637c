"""A checksum behind the last byte of a file, where HDF5 readers do not look."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arlif.base.errors import FormatError
from arlif.base.files import StrPath, atomic_path

MARK = b"arlif sha256"
LENGTH = len(MARK) + hashlib.sha256().digest_size


@contextmanager
def sealed_path(target: StrPath) -> Iterator[Path]:
    """Like atomic_path; the finished file ends in MARK and the SHA-256 of all before it."""
    with atomic_path(target) as temporary:
        yield temporary
        digest = _digest(temporary, temporary.stat().st_size)
        with temporary.open("ab") as file:
            file.write(MARK + digest)


def is_sealed(path: Path) -> bool:
    """Whether a file ends in a seal. Raises FormatError where the seal does not fit the file."""
    size = path.stat().st_size - LENGTH
    if size < 0:
        return False
    with path.open("rb") as file:
        file.seek(size)
        end = file.read()
    if not end.startswith(MARK):
        return False
    if not hmac.compare_digest(end[len(MARK) :], _digest(path, size)):
        raise FormatError("the file was damaged after it was written; export it again")
    return True


def _digest(path: Path, size: int) -> bytes:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0:
            block = file.read(min(size, 1 << 20))
            if not block:
                break
            state.update(block)
            size -= len(block)
    return state.digest()
