"""How the layers of a library are found in a network, and networks of one layer after another."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from torch import nn

from arlif.base.errors import LoweringError, require
from arlif.interop.adopt import time_first
from arlif.interop.cells import Cell
from arlif.quantize.absorb import reason


@dataclass(frozen=True)
class Library:
    """How the layers of a library are found. name: of its package.

    neuron: a layer as a Cell, or as a layer where it keeps no state; None where it is none of the
    library's; raises LoweringError where it has no counterpart. containers: modules that only run
    others. reset: of hidden states. functions: of what module the library's own step functions are.
    whole: layers that are given all time steps at once, beside those of step mode m.
    """

    name: str
    neuron: Callable[[nn.Module], Cell | nn.Module | None]
    containers: tuple[type[nn.Module], ...]
    reset: Callable[[nn.Module], None]
    functions: str = "no module"
    whole: tuple[type[nn.Module], ...] = ()


HOLDERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
"""Modules of torch that only hold others."""

Part = Cell | nn.Module | str
"""What a layer becomes, or why it becomes nothing."""


def parts(network: nn.Module, library: Library) -> dict[str, tuple[nn.Module, Part]]:
    """Every layer of a network by path, and what it becomes."""
    found: dict[str, tuple[nn.Module, Part]] = {}
    inside: set[nn.Module] = set()
    for path, module in network.named_modules():
        if module in inside:
            continue
        part = _part(module, library)
        if part is not None:
            found[path] = (module, part)
            inside.update(module.modules())
    return found


def is_sequential(network: nn.Module, library: Library) -> bool:
    """Whether a network holds nothing but layers and what runs one after another."""
    containers = (nn.Sequential, *library.containers)
    return isinstance(network, containers) and all(
        isinstance(module, containers) for module in _holders(network, library)
    )


def _holders(network: nn.Module, library: Library) -> Iterator[nn.Module]:
    """The modules that are no layers and lie in none."""
    if _part(network, library) is None:
        yield network
        for child in network.children():
            yield from _holders(child, library)


def convert_sequential(network: nn.Module, library: Library) -> nn.Sequential:
    """The same layers, weights shared, working on [T, N, ...]; names are kept.

    Raises LoweringError naming every layer that has no counterpart, and why.
    """
    names = ", ".join(c.__name__ for c in (nn.Sequential, *library.containers))
    require(
        is_sequential(network, library),
        f"cannot convert {type(network).__name__}, which has a forward of its own, without an "
        f"example of its inputs, [1 or T, N, ...]; give one, or build it of {names}",
        LoweringError,
    )
    found = parts(network, library)
    refuse(found)
    return _sequence(network, library)


def refuse(found: Mapping[str, tuple[nn.Module, Part]]) -> None:
    """Raise LoweringError naming every layer that has no counterpart, and why."""
    reasons = [f"{name} ({type(m).__name__}): {p}" for name, (m, p) in found.items() if _no(p)]
    require(not reasons, "; ".join(reasons), LoweringError)


def _no(part: Part) -> bool:
    first = part.part(0) if isinstance(part, Cell) else part
    return isinstance(first, str)


def _sequence(network: nn.Module, library: Library) -> nn.Sequential:
    result = nn.Sequential()
    for name, child in network.named_children():
        part = _part(child, library)
        if isinstance(part, Cell):
            first = part.part(0)
            assert isinstance(first, nn.Module)
            if part.drive is not None:
                result.add_module(f"{name}_in", part.drive)
            result.add_module(name, first)
        else:
            assert not isinstance(part, str)
            layer = _sequence(child, library) if part is None else part
            result.add_module(name, layer.train(child.training))
    return result


def _part(module: nn.Module, library: Library) -> Part | None:
    """What a layer becomes; None of what only holds layers."""
    try:
        part = library.neuron(module) or time_first(module)
    except LoweringError as error:
        return str(error)
    if part is not None:
        return part
    home = type(module).__module__.partition(".")[0]
    if home in ("torch", library.name) and not isinstance(module, (*HOLDERS, *library.containers)):
        return reason(module)
    return None
