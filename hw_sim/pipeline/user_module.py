"""A network that a user's own Python file builds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from arlif.base.errors import ArlifError, require
from arlif.base.own_packages import hidden_in
from arlif.base.user_code import running


def build_user_module(file: Path, name: str) -> nn.Module:
    """What the function `name` of a Python file returns, called without arguments.

    The file may import what lies beside it; it finds no arguments. Raises ArlifError where there is
    none, where it fails or ends the program, or where it returns anything but a torch module.
    """
    with _beside(file), running(file, f"{file}:{name} builds no network") as module:
        build = getattr(module, name, None)
        if not callable(build):
            raise ArlifError(f"{file} has no function {name!r}; name the one that builds it")
        network = build()
    require(
        isinstance(network, nn.Module),
        f"{file}:{name} returns {type(network).__name__}, not a torch.nn.Module",
    )
    return network


@contextmanager
def _beside(file: Path) -> Iterator[None]:
    """While open, Python imports what lies beside a file; an import that fails says what hides."""
    folder = str(file.parent.resolve())
    sys.path.insert(0, folder)
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
        sys.path.remove(folder)
