"""The folder where datasets lie: getting them, checking them, finding their files."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from arlif.data.fetch import Progress, Source, checksum
from arlif.errors import ArlifError, require
from arlif.files import write_text

MANIFEST = "manifest.json"


def data_folder(folder: Path | None = None) -> Path:
    """`folder`, else what ARLIF_DATA says, else ~/.cache/arlif/data."""
    if folder is not None:
        return folder
    named = os.environ.get("ARLIF_DATA")
    return Path(named) if named else Path.home() / ".cache" / "arlif" / "data"


@dataclass(frozen=True)
class FileState:
    """What `check` found about one file; wrong is empty where it is as published."""

    file: str
    wrong: str


def fetch_files(
    folder: Path, alternatives: tuple[tuple[Source, ...], ...], progress: Progress
) -> None:
    """Get files from the first alternative that works, each a complete set of sources.

    Raises ArlifError, naming why every alternative failed.
    """
    problems = []
    for sources in alternatives:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for source in sources:
                source.fetch(folder, progress)
            return
        except OSError as error:
            raise ArlifError(
                f"cannot write to {folder}: {error.strerror}; make room and run the same again"
            ) from None
        except ArlifError as error:
            problems.append(str(error))
    raise ArlifError("no source could be used: " + "; ".join(problems))


def write_manifest(folder: Path) -> None:
    """Note the SHA-256 of every file below `folder`, for later checks."""
    files = sorted(file for file in folder.rglob("*") if _is_data(file))
    digests = {str(file.relative_to(folder)): checksum(file) for file in files}
    write_text(folder / MANIFEST, json.dumps(digests, indent=1) + "\n")


def check_files(folder: Path, required: dict[str, str]) -> list[FileState]:
    """Compare every required file, and every file of the manifest, with its digest."""
    known = dict(required)
    manifest = folder / MANIFEST
    if manifest.exists():
        try:
            noted = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError:
            return [FileState(MANIFEST, "is damaged; get the dataset again")]
        known = noted | {file: digest for file, digest in known.items() if digest}
    return [_state(folder, file, digest) for file, digest in known.items()]


def need(folder: Path, files: Iterable[str], name: str) -> None:
    """Raise ArlifError, with the cure, where one of the files is missing."""
    missing = [file for file in files if not (folder / file).exists()]
    require(
        not missing,
        f"{name} is not in {folder} ({', '.join(missing)} missing); get it with: arlif data get "
        f"{name}, or set ARLIF_DATA to the folder that holds it",
    )


def _is_data(file: Path) -> bool:
    return file.is_file() and file.name != MANIFEST and file.suffix not in (".part", ".zip", ".gz")


def _state(folder: Path, file: str, digest: str) -> FileState:
    path = folder / file
    if not path.exists():
        return FileState(file, "is missing")
    if digest and checksum(path) != digest:
        return FileState(file, f"differs from what was published (SHA-256 is not {digest})")
    return FileState(file, "")
