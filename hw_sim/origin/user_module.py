"""A network that a user's own Python file builds."""

from pathlib import Path

from torch import nn

from arlif.base.errors import require
from arlif.base.user_code import calling


def build_user_module(file: Path, name: str) -> nn.Module:
    """What the function `name` of a Python file returns, called without arguments.

    The file may import what lies beside it; it finds no arguments. Raises ArlifError where there is
    none, where it fails or ends the program, or where it returns anything but a torch module.
    """
    with calling(file, name, f"{file}:{name} builds no network") as network:
        require(
            isinstance(network, nn.Module),
            f"{file}:{name} returns {type(network).__name__}, not a torch.nn.Module",
        )
        return network  # type: ignore[no-any-return]
