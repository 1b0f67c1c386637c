"""A network that a user's own Python file builds."""

import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from torch import nn

from arlif.base.errors import ArlifError, require
from arlif.base.own_packages import hidden_in


def build_user_module(file: Path, name: str) -> nn.Module:
    """What the function `name` of a Python file returns, called without arguments.

    The file may import what lies beside it; it finds no arguments. Raises ArlifError where there is
    none, where it fails or ends the program, or where it returns anything but a torch module.
    """
    require(file.is_file(), f"there is no file {file}")
    spec = spec_from_file_location(f"_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(file.parent.resolve()))
    arguments, sys.argv = sys.argv, [str(file)]
    try:
        spec.loader.exec_module(module)
        build = getattr(module, name, None)
        if not callable(build):
            raise ArlifError(f"{file} has no function {name!r}; name the one that builds it")
        network = build()
    except ArlifError:
        raise
    except SystemExit as stop:
        raise ArlifError(
            f"{file} ends the program (exit code {stop.code}) where {name} should build a network; "
            "put what ends it under if __name__ == '__main__'"
        ) from None
    except Exception as error:  # whatever user code raises
        line = traceback.extract_tb(error.__traceback__)[-1]
        raise ArlifError(
            f"{file}:{name} builds no network: {type(error).__name__}: {error} "
            f"({line.filename}, line {line.lineno}){_hidden(file, error)}"
        ) from error
    finally:
        sys.argv = arguments
        sys.path.remove(str(file.parent.resolve()))
    require(
        isinstance(network, nn.Module),
        f"{file}:{name} returns {type(network).__name__}, not a torch.nn.Module",
    )
    return network


def _hidden(file: Path, error: Exception) -> str:
    """What may be behind an error of an import: a file beside that has the name of our package."""
    if not isinstance(error, ImportError | AttributeError):
        return ""
    return "".join(
        f"; arlif's package of the same name hides {path}: rename it"
        for path in hidden_in(file.parent)
    )
