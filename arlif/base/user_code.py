"""Python files of a user's own, which are run for what they define."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from inspect import isclass, isroutine, signature
from pathlib import Path
from types import ModuleType
from typing import Any

from arlif.base.errors import ArlifError, require
from arlif.base.own_packages import hidden_in
from arlif.base.workers import ROOT


@contextmanager
def running(file: Path, failed: str) -> Iterator[ModuleType]:
    """While open, a user's Python file as a module; what it does wrong is an ArlifError.

    failed: what did not come about then, such as "my.py:build builds no network". The file finds
    no arguments, and leaves no bytecode behind; what it prints goes to standard error, since
    standard output is for results. Raises ArlifError where there is no such file.
    """
    require(file.is_file(), f"there is no file {file}")
    content = file.read_bytes()
    loader = SourceFileLoader(f"_{file.stem}_{sha256(content).hexdigest()[:8]}", str(file))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look there
    arguments, sys.argv = sys.argv, [str(file)]
    try:
        with redirect_stdout(sys.stderr):
            exec(loader.source_to_code(content, str(file)), vars(module))
            yield module
    except ArlifError as error:
        error.args = (f"{error}{_own_place(error, file)}",)
        raise
    except SystemExit as stop:
        raise ArlifError(
            f"{file} ends the program (exit code {stop.code}), so {failed}; put what ends it under "
            "if __name__ == '__main__'"
        ) from None
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except SyntaxError as error:
        raise ArlifError(f"{failed}: {_said(error)}") from None
    except BaseException as error:  # whatever user code raises
        lost = isinstance(error, FileNotFoundError)
        raise ArlifError(f"{failed}: {_said(error)}{_place(error, file)}{_WHERE * lost}") from error
    finally:
        sys.argv = arguments


@contextmanager
def calling(file: Path, name: str, failed: str) -> Iterator[Any]:
    """While open, what the function `name` of a user's file returns, called without arguments.

    The file may import what lies beside it. What the block does with the returned object may run
    the user's code, too. Raises as `running`, and where there is no such function.
    """
    with _beside(file), running(file, failed) as module:
        function = getattr(module, name, None)
        if not callable(function):
            raise ArlifError(f"{file} has no function {name!r}; name one that takes no arguments")
        _require_no_arguments(function, f"{file}:{name}")
        yield function()


def _require_no_arguments(function: Any, where: str) -> None:
    """Refuse what cannot be called without arguments, and objects that are called for more."""
    require(
        isroutine(function) or isclass(function) or isinstance(function, partial),
        f"{where} is an object, a {type(function).__name__}; name a function that returns it",
    )
    try:
        takes = signature(function)
    except ValueError:  # of some functions that are written in C
        return
    try:
        takes.bind()
    except TypeError:
        raise ArlifError(
            f"{where} is called without arguments, and takes {takes}; name a function that needs "
            "none"
        ) from None


@contextmanager
def _beside(file: Path) -> Iterator[None]:
    """While open, Python imports what lies beside a file; an import that fails says what hides."""
    path = [*sys.path]
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        yield
    except ArlifError as error:
        hidden = hidden_in(file.parent)
        if not hidden or not isinstance(error.__cause__, ImportError | AttributeError):
            raise
        names = "".join(
            f"; arlif's package of the same name hides {path}: rename it" for path in hidden
        )
        raise ArlifError(f"{error}{names}") from error
    finally:
        sys.path[:] = path


def _said(error: BaseException) -> str:
    """An error's type and what it says, if it says anything, in one line."""
    kind = type(error).__name__
    try:
        words = str(error).split()
    except Exception:  # whatever its own __str__ raises
        words = []
    return f"{kind}: {' '.join(words)}" if words else kind


_WHERE = (
    "; paths count from where arlif is started: write Path(__file__).with_name('weights.pt') for "
    "what lies beside the file"
)


def _own_place(error: BaseException | None, file: Path) -> str:
    """Which line of a user's file led to an error of ours; "" where none did."""
    while error is not None:
        lines = [
            f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)
        ]
        if lines:
            return f" ({file}, line {lines[-1]})"
        error = error.__cause__
    return ""


def _place(error: BaseException, file: Path) -> str:
    """Where in a user's file an error came from; else where it was raised, unless by us."""
    lines = traceback.extract_tb(error.__traceback__)
    line = next((one for one in reversed(lines) if one.filename == str(file)), lines[-1])
    ours = Path(line.filename).resolve().is_relative_to(ROOT / "arlif")
    return "" if ours else f" ({line.filename}, line {line.lineno})"
