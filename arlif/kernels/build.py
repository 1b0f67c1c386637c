"""Compiling the CPU kernels once per machine, and loading them."""

import ctypes
import hashlib
import logging
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from arlif.errors import ArlifError, require
from arlif.files import atomic_path

SOURCES = ("real.cpp", "integer.cpp", "events.cpp", "pools.cpp", "quantized.cpp")
HEADERS = ("integer_neurons.h", "narrow_neurons.h", "neurons.h", "tiles.h", "vectors.h")
COMMON = (
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-shared",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wno-psabi",
)
CHOICES = (("-march=native", "-fopenmp"), ("-march=native",), ())
"""Tried in turn: this CPU's vectors and all its cores; its vectors; what every compiler has."""

logger = logging.getLogger(__name__)


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels, built when first asked for; None, and one warning, where impossible."""
    try:
        return ctypes.CDLL(str(build()))
    except (ArlifError, OSError) as error:
        logger.warning("neurons run as plain loops, several times slower: %s", error)
        return None


def build() -> Path:
    """Compile for this CPU unless that was done before; the library's path.

    Processes that build at the same time each compile a copy and the last one stays.
    Raises ArlifError where there is no compiler, it fails, or the cache cannot be written.
    """
    compiler = _compiler()
    for choice in CHOICES[:-1]:
        try:
            return _build(compiler, (*COMMON, *choice))
        except ArlifError as error:
            logger.info("%s", error)
    return _build(compiler, (*COMMON, *CHOICES[-1]))


def _build(compiler: str, flags: tuple[str, ...]) -> Path:
    folder = Path(__file__).parent
    text = b"".join((folder / name).read_bytes() for name in (*HEADERS, *SOURCES))
    # What the compiler predefines tells its version and this CPU's instructions.
    macros = _run(compiler, *flags, "-dM", "-E", "-x", "c++", os.devnull)
    identity = hashlib.sha256(" ".join((compiler, *flags)).encode() + macros + text)
    target = _cache() / f"kernels-{identity.hexdigest()[:16]}.so"
    if not target.exists():
        logger.warning("compiling the neuron kernels for this CPU, once: %s", target)
        with atomic_path(target) as temporary:
            sources = (str(folder / name) for name in SOURCES)
            _run(compiler, *flags, *sources, "-o", str(temporary))
    return target


def _compiler() -> str:
    names = (os.environ.get("CXX", ""), "c++", "g++", "clang++")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    require(found is not None, "there is no C++ compiler; install g++, or name yours in CXX")
    return str(found)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arlif"


def _run(*command: str) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)
    message = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    require(done.returncode == 0, f"{command[0]} failed: {message}")
    return done.stdout
