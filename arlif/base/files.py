"""Files written so that a reader never meets half of one; JSON that means one thing to all."""

import json
import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from math import isfinite
from pathlib import Path
from typing import Any

from arlif.base.errors import ArlifError, WriteError, require

StrPath = str | os.PathLike[str]
"""How a caller may name a file."""
UNFINISHED = ".unfinished"
"""How the hidden file ends that becomes a whole one; a process that is killed leaves it."""
MOST_DEPTH = 64
"""Lists and objects within one another in a JSON file: far more than any of ours has."""


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
            f"cannot write {target}: {error.strerror}; choose another folder", error.errno
        ) from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(f"cannot write {target}: {reason}", error.errno) from error
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


def read_json(path: Path) -> Any:
    """The content of a JSON file, in numbers of 64 bits and names that stand once in their object.

    Raises OSError where it cannot be read, ArlifError with the reason where it is anything else.
    """
    try:
        content = json.loads(
            _text(path),
            object_pairs_hook=_once,
            parse_constant=_real,
            parse_float=_real,
            parse_int=_whole,
        )
    except ArlifError:
        raise
    except ValueError as error:
        raise ArlifError(str(error)) from None
    except RecursionError:
        raise _too_deep() from None
    within = [content]
    for _ in range(MOST_DEPTH):
        inner = [v.values() if isinstance(v, dict) else v for v in within if _holds(v)]
        within = [value for values in inner for value in values]
    if within:
        raise _too_deep()
    return content


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises OSError, and ArlifError with the reason."""
    return toml_content(_text(path))


def toml_content(text: str) -> dict[str, Any]:
    """What a TOML text says. Raises ArlifError with the reason where it is none."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ArlifError(str(error)) from None
    except RecursionError:
        raise ArlifError("lists and tables in it are nested too deep") from None


def _text(path: Path) -> str:
    """UTF-8 of a file; a pipe would never end. Raises OSError, ArlifError where it is none."""
    require(path.is_file() or not path.exists(), "it is no file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ArlifError(str(error)) from None


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _too_deep() -> ArlifError:
    return ArlifError(f"lists and objects in it are nested deeper than {MOST_DEPTH}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ArlifError(f"the name {twice!r} stands more than once in one object")
    return found


def _real(text: str) -> float:
    number = float(text)
    require(isfinite(number), f"{text} is no finite number")
    return number


def _whole(text: str) -> int:
    number = int(text)
    require(-(1 << 63) <= number < 1 << 64, f"{text[:20]}... is a number beyond 64 bits")
    return number


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
