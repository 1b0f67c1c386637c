"""Which library a network comes from, and that library's converter."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from torch import Tensor, nn

from arlif.base.errors import LoweringError, require
from arlif.interop.adopt import over_time
from arlif.layers import SIGNAL_LAYERS

CONVERTERS: Mapping[str, str] = MappingProxyType(
    {
        "snntorch": "arlif.interop.snntorch",
        "norse": "arlif.interop.norse",
        "spikingjelly": "arlif.interop.spikingjelly",
    }
)
"""The module that converts the networks of a library: its to_arlif(network, example)."""

CURES: Mapping[str, str] = MappingProxyType(
    {
        "lava": "lava-dl's networks come as files: where lava-dl is installed, write the network "
        "with network.export_hdf5('network.net'), and import that file",
    }
)
"""What to do with the networks of a library that no converter takes."""


def to_arlif(network: nn.Module, example: Tensor) -> nn.Module:
    """The network over [T, N, ...] that does what another library's does; ours, made to run.

    What torch.compile wraps is unwrapped; torch's own layers in a stack work on every time step.
    example: inputs as the network will be given them, [1 or T, N, ...]; signals [..., C, 1, L] are
    shown as [..., C, L]. A library that has no layer in the network is not imported. Raises
    LoweringError naming everything that has no counterpart.
    """
    network = getattr(network, "_orig_mod", network)
    used = libraries(network)
    foreign = [name for name in CURES if name in homes(network)]
    require(not foreign, "; ".join(CURES[name] for name in foreign), LoweringError)
    require(
        len(used) <= 1,
        f"its layers come from {' and '.join(used)}, and each library converts its own; build the "
        "network from one of them",
        LoweringError,
    )
    if not used:
        return over_time(network)
    if example.ndim == 5 and any(isinstance(m, SIGNAL_LAYERS) for m in network.modules()):
        example = example.squeeze(3)
    converted: nn.Module = import_module(CONVERTERS[used[0]]).to_arlif(network, example)
    return converted


def libraries(network: nn.Module) -> list[str]:
    """The libraries, of those with a converter, that some layer of a network is of, by name."""
    return sorted(homes(network) & set(CONVERTERS))


def homes(network: nn.Module) -> set[str]:
    """The packages that define the classes of a network's layers."""
    modules = {base.__module__ for part in network.modules() for base in type(part).__mro__}
    return {module.partition(".")[0] for module in modules}
