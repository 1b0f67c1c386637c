"""Which library a network comes from, and that library's converter."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from torch import Tensor, nn

from arlif.base.errors import LoweringError, require

CONVERTERS: Mapping[str, str] = MappingProxyType(
    {
        "snntorch": "arlif.interop.snntorch",
        "norse": "arlif.interop.norse",
    }
)
"""The module that converts the networks of a library: its to_arlif(network, example)."""


def to_arlif(network: nn.Module, example: Tensor) -> nn.Module:
    """The network over [T, N, ...] that does what another library's does; others are left alone.

    example: inputs as the network will be given them, [1 or T, N, ...]. A library that has no layer
    in the network is not imported. Raises LoweringError naming everything that has no counterpart.
    """
    used = libraries(network)
    require(
        len(used) <= 1,
        f"its layers come from {' and '.join(used)}, and each library converts its own; build the "
        "network from one of them",
        LoweringError,
    )
    if not used:
        return network
    converted: nn.Module = import_module(CONVERTERS[used[0]]).to_arlif(network, example)
    return converted


def libraries(network: nn.Module) -> list[str]:
    """The libraries, of those with a converter, that some layer of a network is of, by name."""
    homes = {base.__module__ for part in network.modules() for base in type(part).__mro__}
    return sorted({home.partition(".")[0] for home in homes} & set(CONVERTERS))
