"""The C++ compiler: finding one, what it can do, and running it."""

import logging
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from arlif.base.errors import ArlifError, require
from arlif.base.scratch import scratch

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


def compiler() -> list[str]:
    """The command of CXX, which may hold options, or a compiler that is found."""
    named = shlex.split(os.environ.get("CXX", ""))
    if named and shutil.which(named[0]):
        return named
    found = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    require(found is not None, "there is no C++ compiler; install g++, or name yours in CXX")
    if named:
        logger.warning("CXX names %s, which is not installed; using %s", named[0], found)
    return [str(found)]


def choice(command: list[str]) -> tuple[str, ...]:
    """The first of CHOICES that the compiler can make an empty library with."""
    for flags in CHOICES[:-1]:
        try:
            compiled((*command, *COMMON, *flags, "-x", "c++"), [Path(os.devnull)])
        except ArlifError as error:
            logger.info("%s", error)
        else:
            return flags
    return CHOICES[-1]


def compiled(command: tuple[str, ...], sources: list[Path]) -> bytes:
    """The shared library that a compiler's command makes of sources. Raises ArlifError."""
    with scratch() as folder:
        output = folder / "kernels.so"
        done = subprocess.run(
            (*command, *map(str, sources), "-o", str(output)), capture_output=True, check=False
        )
        message = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        require(done.returncode == 0, f"{command[0]} failed: {message}")
        content = output.read_bytes() if output.exists() else b""
        require(bool(content), f"{command[0]} wrote no library; name a C++ compiler in CXX")
        return content
