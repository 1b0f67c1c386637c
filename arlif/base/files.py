"""Writing files so that a reader never meets half of one."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from arlif.base.errors import ArlifError, WriteError

StrPath = str | os.PathLike[str]
"""How a caller may name a file."""
UNFINISHED = ".unfinished"
"""How the hidden file ends that becomes a whole one; a process that is killed leaves it."""


@contextmanager
def atomic_path(target: StrPath) -> Iterator[Path]:
    """A temporary path beside `target` that replaces it when the block ends without an error.

    Raises WriteError where the folder cannot be written (missing, read-only, disk full).
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(UNFINISHED, f".{target.name}.", target.parent)
        os.close(handle)
    except OSError as error:
        raise WriteError(
            f"cannot write {target}: {error.strerror}; choose another folder"
        ) from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: StrPath) -> None:
    """Remove what killed processes left of files that they wrote into a folder, at any depth."""
    for path in Path(folder).rglob(f".*{UNFINISHED}"):
        with suppress(OSError):
            path.unlink()


def json_text(content: Any) -> str:
    """JSON that any reader accepts. Raises ArlifError where a number is infinite or none."""
    try:
        return json.dumps(content, indent=2, allow_nan=False)
    except ValueError as error:
        if "Out of range float values" not in str(error):
            raise
        raise ArlifError(
            "a result holds a number that is infinite or none (NaN), which JSON cannot; look for "
            "values out of all proportion in what was given"
        ) from None


def write_text(target: StrPath, text: str) -> None:
    """Write UTF-8 text atomically; what names a file that is not UTF-8 has ? for such bytes."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def write_files(folder: StrPath, contents: Mapping[str, str | bytes]) -> tuple[str, ...]:
    """Write texts (as UTF-8) and bytes by their names within a folder; returns these names.

    What else it holds stays. No file is replaced before all are written, and the last is replaced
    last: where it is new, all are. Raises WriteError.
    """
    with ExitStack() as stack:
        names = [*contents][::-1]  # a stack leaves what it entered last first
        written = {name: stack.enter_context(atomic_path(Path(folder) / name)) for name in names}
        for name, content in contents.items():
            data = content if isinstance(content, bytes) else content.encode()
            written[name].write_bytes(data)
    return tuple(contents)
