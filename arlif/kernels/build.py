"""Compiling the CPU kernels once per machine, and loading them."""

import atexit
import ctypes
import hashlib
import logging
import os
import platform
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from arlif.base.errors import ArlifError
from arlif.base.files import atomic_path
from arlif.base.scratch import scratch
from arlif.kernels.compiler import CHOICES, COMMON, choice, compiled, compiler

FOLDER = Path(__file__).parent
PRINTED = "printed.h"
"""The file by which a source includes what was printed for it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """What a library is compiled from.

    files: C++ files of this folder. printed: text of the header PRINTED, which they may include.
    """

    files: tuple[str, ...]
    printed: str = ""

    def text(self) -> bytes:
        """All that the compiler reads: the headers of this folder too."""
        headers = sorted(path.name for path in FOLDER.glob("*.h"))
        return b"".join((FOLDER / name).read_bytes() for name in (*headers, *self.files)) + (
            self.printed.encode()
        )


SYNAPSES = Source(
    ("byte_products.cpp", "depthwise.cpp", "events.cpp", "pools.cpp", "spike_tables.cpp")
)
"""What knows no neuron."""


@cache
def library(source: Source = SYNAPSES) -> ctypes.CDLL | None:
    """A compiled library, built when first asked for; None where impossible, with one warning."""
    try:
        return ctypes.CDLL(str(build(source)))
    except (ArlifError, OSError) as error:
        _warn_once(str(error))
        return None


@cache
def _warn_once(reason: str) -> None:
    logger.warning("neurons run as plain loops, several times slower: %s", reason)


@cache
def loaded(source: Source, layout: str, *numbers: int) -> ctypes.CDLL:
    """A library, which callers know to be there and whose array `layout` must be `numbers`.

    They are what Python repeats of a source: sizes of structures, and constants.
    """
    found = library(source)
    assert found is not None, "callers ask for the kernels only where they were built"
    theirs = tuple((ctypes.c_int64 * len(numbers)).in_dll(found, layout))
    assert theirs == numbers, f"{layout} is {theirs} in C++, {numbers} in Python"
    return found


def build(source: Source = SYNAPSES) -> Path:
    """Compile for this CPU unless that was done before; the library's path.

    A file's name tells the sources, the CPU and its own content: a good one needs no compiler, a
    damaged one is compiled again. Where the cache cannot be written, the library lies in a
    temporary folder until the process ends. Raises ArlifError where it cannot be compiled.
    """
    name = f"kernels-{_identity(source)}"
    for path in _cache().glob(f"{name}-*.so"):
        if path.name == _named(name, path.read_bytes()):
            return path
        with suppress(OSError):
            path.unlink()
    command = compiler()
    flags, (folder, how_long) = choice(command), _folder()
    lost = [flag for flag in CHOICES[0] if flag not in flags]
    without = f" without {' and '.join(lost)}, which {command[0]} lacks," if lost else ""
    logger.warning("compiling the kernels of this network%s in %s %s", without, folder, how_long)
    with scratch() as include:
        (include / PRINTED).write_text(source.printed)
        options = (*command, *COMMON, *flags, f"-I{include}")
        content = compiled(options, [FOLDER / name for name in source.files])
    target = folder / _named(name, content)
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    return target


def _identity(source: Source) -> str:
    """What tells a source, and a machine that runs its machine code, from others."""
    machine = (platform.system(), platform.machine(), *platform.libc_ver(), *_processor())
    return _digest(repr((COMMON, CHOICES, machine)).encode() + source.text())


def _processor() -> list[str]:
    """Name and instructions of this computer's processors, as far as Linux tells them."""
    told = ("model name", "flags", "CPU part", "Features", "isa")
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return sorted({line for line in lines if line.startswith(told)})
    return [platform.processor()]


def _named(name: str, content: bytes) -> str:
    return f"{name}-{_digest(content)}.so"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arlif"


def _folder() -> tuple[Path, str]:
    """Where a library can be written, and what to say of it."""
    folder = _cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        private = Path(tempfile.mkdtemp(prefix="arlif-"))
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        return private, (
            f"for this process only: {folder} cannot be written ({error.strerror}); name a "
            "folder that can in XDG_CACHE_HOME"
        )
    return folder, "for this CPU, once"
