"""Python files of a user's own, which are run for what they define."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

from arlif.base.errors import ArlifError, require
from arlif.base.workers import ROOT


@contextmanager
def running(file: Path, failed: str) -> Iterator[ModuleType]:
    """While open, a user's Python file as a module; what it does wrong is an ArlifError.

    failed: what did not come about then, such as "my.py:build builds no network". The file finds
    no arguments, and leaves no bytecode behind. Raises ArlifError where there is no such file.
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
        exec(loader.source_to_code(content, str(file)), vars(module))
        yield module
    except ArlifError:
        raise
    except SystemExit as stop:
        raise ArlifError(
            f"{file} ends the program (exit code {stop.code}), so {failed}; put what ends it under "
            "if __name__ == '__main__'"
        ) from None
    except SyntaxError as error:
        raise ArlifError(f"{failed}: {type(error).__name__}: {error}") from None
    except Exception as error:  # whatever user code raises
        raise ArlifError(f"{failed}: {type(error).__name__}: {error}{_place(error)}") from error
    finally:
        sys.argv = arguments


def _place(error: Exception) -> str:
    """Where an error was raised, unless by us."""
    line = traceback.extract_tb(error.__traceback__)[-1]
    ours = Path(line.filename).resolve().is_relative_to(ROOT / "arlif")
    return "" if ours else f" ({line.filename}, line {line.lineno})"
