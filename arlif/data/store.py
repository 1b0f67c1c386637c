"""The folder where datasets lie: getting them, checking them, finding their files."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from arlif.base.errors import ArlifError, require
from arlif.base.files import read_json, write_text
from arlif.data.fetch import Progress, Source, checksum

MANIFEST = "manifest.json"

Noted = tuple[str, int | None]
"""What is known of a file: its SHA-256 ("" where unknown), its size in bytes."""

UNKNOWN: Noted = ("", None)


def data_folder(folder: Path | None = None) -> Path:
    """`folder`, else what ARLIF_DATA says, else ~/.cache/arlif/data."""
    if folder is not None:
        return folder
    named = os.environ.get("ARLIF_DATA")
    return Path(named) if named else Path.home() / ".cache" / "arlif" / "data"


@dataclass(frozen=True)
class FileState:
    """What `check` found about one file; wrong is empty where nothing is.

    verified: whether its content, or that of all files in it, equals a known digest.
    """

    file: str
    wrong: str
    verified: bool = False


def fetch_files(
    folder: Path,
    alternatives: tuple[tuple[Source, ...], ...],
    wanted: Iterable[str],
    progress: Progress,
    say: Callable[[str], None],
) -> None:
    """Get files from the first alternative that works, each a complete set of sources.

    Only sources that give a wanted file are used. say: told why an alternative failed, and at
    last which one the files came from. Raises ArlifError, naming why every alternative failed.
    """
    begins = tuple(wanted)
    problems = []
    for sources in alternatives:
        origins = ", ".join(dict.fromkeys(source.origin for source in sources))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for source in sources:
                if any(file.startswith(source.gives) for file in begins):
                    source.fetch(folder, progress)
            say(f"fetched from {origins}")
            return
        except OSError as error:
            raise ArlifError(
                f"cannot write to {folder}: {error.strerror}; make room and run the same again"
            ) from None
        except ArlifError as error:
            problems.append(str(error))
            say(f"not from {origins}: {error}")
    raise ArlifError("no source could be used: " + "; ".join(problems))


def write_manifest(folder: Path) -> None:
    """Note SHA-256 and size of every file below `folder`, for later checks."""
    files = sorted(file for file in folder.rglob("*") if _is_data(file))
    noted = {
        str(file.relative_to(folder)): {"sha256": checksum(file), "bytes": file.stat().st_size}
        for file in files
    }
    write_text(folder / MANIFEST, json.dumps(noted, indent=1) + "\n")


def check_files(folder: Path, required: dict[str, str]) -> list[FileState]:
    """Compare every required file, and every file of the manifest, with its digest."""
    try:
        known = _known(folder, required)
    except ArlifError as error:
        return [FileState(MANIFEST, str(error))]
    states = [_state(folder, file, noted) for file, noted in known.items()]
    good = {folder / s.file for s in states if s.verified}
    return [
        replace(s, verified=s.verified or (not s.wrong and _holds_only(folder / s.file, good)))
        for s in states
    ]


def require_noted(folder: Path, required: dict[str, str], read: Iterable[Path]) -> None:
    """Raise ArlifError where a file that is noted is missing, or a file to be read is another.

    required: files that must be there, with their SHA-256 where it is published. read: the files
    whose content is compared; of the others only the size is.
    """
    chosen = {str(file.relative_to(folder)) for file in read}
    try:
        known = _known(folder, required)
    except ArlifError as error:
        raise ArlifError(f"{folder / MANIFEST} {error}") from None
    states = (
        _state(folder, file, noted if file in chosen else ("", noted[1]))
        for file, noted in known.items()
    )
    wrong = next((state for state in states if state.wrong), None)
    if wrong:
        raise ArlifError(f"{folder / wrong.file} {wrong.wrong}; get the dataset again")


def is_vouched_for(file: Path) -> bool:
    """Whether the manifest beside a file notes the digest that it has."""
    try:
        noted = _known(file.parent, {}).get(file.name, UNKNOWN)
    except ArlifError:
        return False
    return _state(file.parent, file.name, noted).verified


def damaged_files(
    folder: Path, judged: set[str], pattern: str, probe: Callable[[Path], object]
) -> Iterator[FileState]:
    """The files below `folder`, but for `judged` ones, that a probe that raises finds damaged."""
    for file in sorted(folder.glob(pattern)):
        if str(file.relative_to(folder)) in judged:
            continue
        try:
            probe(file)
        except (ArlifError, OSError) as error:
            yield FileState(str(file.relative_to(folder)), str(error))


def wrong_files(folder: Path, required: dict[str, str]) -> list[str]:
    """The files to fetch: missing, of another size, or changed since they were noted and not equal.

    Without a manifest nothing vouches for a file whose digest was not published.
    """
    manifest = folder / MANIFEST
    try:
        known = _known(folder, required)
    except ArlifError:
        manifest.unlink()
        known = _known(folder, required)
    if not manifest.exists():
        unknown = [file for file, digest in required.items() if not digest]
        return unknown + [s.file for s in check_files(folder, required) if s.wrong]
    since = manifest.stat().st_mtime_ns
    return [file for file, noted in known.items() if _state(folder, file, noted, since).wrong]


def mark_wrong(folder: Path, states: Iterable[FileState]) -> None:
    """Make the wrong files newer than the manifest, so that `wrong_files` reads them."""
    for state in states:
        path = folder / state.file
        with suppress(OSError):
            if state.wrong and path.exists():
                path.touch()


def need(folder: Path, files: Iterable[str], name: str, cure: str) -> None:
    """Raise ArlifError, with the cure, where one of the files is missing."""
    missing = [file for file in files if is_absent(folder / file)]
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    require(
        not missing,
        f"{name} is not in {folder} ({', '.join(missing[:3])}{more} missing); "
        f"{cure}, or set ARLIF_DATA to the folder that holds {name}",
    )


def is_absent(path: Path) -> bool:
    """Whether there is no such file, or a folder that holds nothing."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def _holds_only(folder: Path, good: set[Path]) -> bool:
    """Whether a folder holds data files, and none but good ones."""
    files = [file for file in folder.rglob("*") if _is_data(file)]
    return bool(files) and good.issuperset(files)


def _is_data(file: Path) -> bool:
    return file.is_file() and file.name != MANIFEST and file.suffix not in (".part", ".zip", ".gz")


def _known(folder: Path, required: dict[str, str]) -> dict[str, Noted]:
    """What is known of every required file and of every file of the manifest."""
    known: dict[str, Noted] = {file: (digest, None) for file, digest in required.items()}
    manifest = folder / MANIFEST
    if not manifest.exists():
        return known
    try:
        content = read_json(manifest)
    except (OSError, ValueError) as error:
        raise ArlifError(f"is damaged ({error}); get the dataset again") from None
    try:
        for file, noted in content.items():
            published, name = required.get(file, ""), PurePath(file)
            require(
                not name.is_absolute() and ".." not in name.parts,
                f"names {file}, outside of {folder}; remove it and get the dataset again",
            )
            if isinstance(noted, str):  # noted before sizes were: the digest alone
                known[file] = (published or noted, None)
            else:
                known[file] = (published or noted["sha256"], int(noted["bytes"]))
    except ArlifError:
        raise
    except (ValueError, AttributeError, TypeError, KeyError):
        raise ArlifError("is damaged; get the dataset again") from None
    return known


def _state(folder: Path, file: str, noted: Noted, since: int = 0) -> FileState:
    """How a file compares; its digest is taken where it changed at `since` (ns) or later."""
    try:
        wrong = _wrong(folder / file, noted, since)
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    return FileState(file, wrong, bool(noted[0]) and not wrong)


def _wrong(path: Path, noted: Noted, since: int) -> str:
    digest, size = noted
    if not path.exists():
        return "is missing"
    if is_absent(path):
        return "is empty"
    if path.is_dir() and noted != UNKNOWN:
        return "is a folder, not a file"
    found = path.stat()
    if size is not None and found.st_size != size:
        return f"differs from what was published ({found.st_size} bytes instead of {size})"
    if digest and found.st_mtime_ns >= since and checksum(path) != digest:
        return f"differs from what was published (SHA-256 is not {digest})"
    return ""
