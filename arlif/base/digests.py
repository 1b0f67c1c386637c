"""What the files of a folder hold and what they were made from, by digest: one JSON file.

It is written last and atomically: what a verb wrote before it was killed does not fit it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import file_digest, sha256
from pathlib import Path
from typing import ClassVar

from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import json_text, read_json, write_text
from arlif.base.plain_data import STRICT, from_mapping

DIGESTS = "digests.json"
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """What a verb wrote.

    verb: what writes it again. files: SHA-256 by name within the folder. made_from: by name, what
    it was made from, as `digest` of that was then. editable: whether a user may change it by hand.
    """

    verb: str
    files: dict[str, str]
    made_from: dict[str, str]
    editable: bool = False

    __pydantic_config__: ClassVar = STRICT

    @property
    def digest(self) -> str:
        """One digest of all its files."""
        return combined(self.files)


@dataclass(frozen=True)
class _Content:
    """The file. sha256: of the entries, so that damage to it is no stale or missing entry."""

    version: int
    entries: dict[str, Entry]
    sha256: str

    __pydantic_config__: ClassVar = STRICT


def combined(files: Mapping[str, str]) -> str:
    """One digest of several files by name; of one file its own."""
    if len(files) == 1:
        return next(iter(files.values()))
    lines = "".join(f"{name} {files[name]}\n" for name in sorted(files))
    return sha256(lines.encode()).hexdigest()


def digests_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of files by name; those that are not there have none.

    Raises ArlifError where one cannot be read.
    """
    found = {}
    for name in names:
        path = folder / name
        try:
            if path.is_file():
                with path.open("rb") as file:
                    found[name] = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ArlifError(f"cannot read {path}: {error.strerror}; check the path") from None
    return found


@dataclass(frozen=True)
class Trouble:
    """The first file that is not what it should be.

    verb: what writes it again. reason: in words that follow its name. damaged: whether its bytes
    have changed; else it was made from others than there are now.
    """

    name: str
    verb: str
    reason: str
    damaged: bool = False


class Digests:
    """What is noted of a folder, beside what it holds now; every file is read once at most."""

    def __init__(self, folder: Path, entries: Mapping[str, Entry]) -> None:
        self.folder, self.entries = folder, entries
        self._now: dict[str, str] = {}

    def trouble(self, name: str, verb: str) -> Trouble | None:
        """What is wrong with a file or with what it was made from, sources first.

        verb: what writes it, where nothing is noted of it.
        """
        if name not in self.entries:
            return Trouble(name, verb, f"is none that {self.folder / DIGESTS} knows")
        entry = self.entries[name]
        for source, digest in entry.made_from.items():
            if source not in self.entries:
                reason = f"was made from a {source} that the run holds no more"
                return Trouble(name, entry.verb, reason)
            if earlier := self.trouble(source, entry.verb):
                return earlier
            if digest != self.current(source):
                return Trouble(name, entry.verb, f"was made from another {source}")
        if not (self.folder / name).is_file():
            return Trouble(name, entry.verb, "is missing")
        if not entry.editable and self.now(name) != entry.digest:
            reason = "was damaged or changed after it was written"
            return Trouble(name, entry.verb, reason, damaged=True)
        return None

    def now(self, name: str) -> str:
        """The digest of an entry's files as they are now."""
        if name not in self._now:
            self._now[name] = combined(digests_of(self.folder, self.entries[name].files))
        return self._now[name]

    def current(self, name: str) -> str:
        """The digest that what is made from an entry notes of it."""
        entry = self.entries[name]
        return self.now(name) if entry.editable else entry.digest


def is_noted(path: Path) -> bool:
    """Whether the folder of a file, or the one above, has noted the digest that it has now."""
    return _fits(path) is True


def require_unchanged(path: Path) -> None:
    """Raise FormatError where the folder of a file, or the one above, has noted another digest.

    For what lies among files that a user may edit, and is not to be.
    """
    require(
        _fits(path) is not False,
        f"{path} was damaged or changed after it was written, and only sources may be; export "
        "again",
        FormatError,
    )


def _fits(path: Path) -> bool | None:
    """Whether a file has the digest that is noted of it; None where none is."""
    path = path.absolute()
    for folder in path.parents[:2]:
        name = path.relative_to(folder).as_posix()
        try:
            entries = read_digests(folder) or {}
        except FormatError:
            continue
        for entry in entries.values():
            if name in entry.files:
                return digests_of(folder, [name]).get(name) == entry.files[name]
    return None


def read_digests(folder: Path) -> dict[str, Entry] | None:
    """The entries of a folder's digests.json by name; None where it has none.

    Raises FormatError where it is damaged.
    """
    path = folder / DIGESTS
    try:
        content = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from None
    try:
        require(isinstance(content, dict), "it is no JSON object")
        found = from_mapping(_Content, content, path.name)
    except ValueError as error:
        raise _damaged(path, error) from None
    if found.version != VERSION:
        raise FormatError(
            f"{path} is of version {found.version}, this arlif knows {VERSION}; take the arlif "
            "that wrote the run, or remove the file and make again what follows training or import"
        )
    if found.sha256 != _digest(found.entries):
        raise _damaged(path, "its own digest does not fit it")
    sources = {name: entry.made_from for name, entry in found.entries.items()}
    try:
        TopologicalSorter(sources).prepare()
    except CycleError:
        raise _damaged(path, "files are made from one another in a circle") from None
    return found.entries


def write_digests(folder: Path, entries: Mapping[str, Entry]) -> None:
    """Write a folder's digests.json, atomically. Raises WriteError."""
    content = _Content(VERSION, dict(entries), _digest(entries))
    write_text(folder / DIGESTS, json_text(asdict(content)) + "\n")


def _digest(entries: Mapping[str, Entry]) -> str:
    plain = {name: asdict(entry) for name, entry in entries.items()}
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, reason: object) -> FormatError:
    return FormatError(
        f"{path} is damaged ({reason}); put it back, or remove it: what training or an import left "
        "is then taken as it is, and the rest is to be made again"
    )
