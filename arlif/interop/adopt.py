"""Layers of torch as layers over [T, N, ...], and constants that a whole layer shares."""

import torch
from torch import nn

from arlif import layers
from arlif.base.errors import LoweringError


def time_first(layer: nn.Module) -> nn.Module | None:
    """A torch layer over [N, ...] as one over [T, N, ...] with the same parameters, if known."""
    match layer:
        case nn.Flatten(start_dim=1 | 2, end_dim=-1):
            return layers.Flatten()
        case nn.Flatten():
            return None
        case nn.Identity():
            return nn.Identity()
    for ours, theirs in _PAIRS:
        if type(layer) is theirs:
            return adopt(ours, layer)
    return None


_PAIRS: tuple[tuple[type[nn.Module], type[nn.Module]], ...] = (
    (layers.Conv1d, nn.Conv1d),
    (layers.Conv2d, nn.Conv2d),
    (layers.Linear, nn.Linear),
    (layers.BatchNorm1d, nn.BatchNorm1d),
    (layers.BatchNorm2d, nn.BatchNorm2d),
    (layers.AvgPool1d, nn.AvgPool1d),
    (layers.AvgPool2d, nn.AvgPool2d),
    (layers.MaxPool1d, nn.MaxPool1d),
    (layers.MaxPool2d, nn.MaxPool2d),
    (layers.AdaptiveAvgPool1d, nn.AdaptiveAvgPool1d),
    (layers.AdaptiveAvgPool2d, nn.AdaptiveAvgPool2d),
    (layers.Dropout, nn.Dropout),
)


_ON_FRAMES = (
    *layers.SIGNAL_LAYERS,
    nn.Conv2d,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.AvgPool2d,
    nn.MaxPool2d,
    nn.AdaptiveAvgPool2d,
)


def over_time(network: nn.Module) -> nn.Module:
    """A stack whose layers of torch work on [T, N, ...], not on [N, ...]; others are left alone.

    A stack is an nn.Sequential of layers and stacks. What runs as it is stays the same object.
    """
    if type(network) is not nn.Sequential:
        frames = type(network) in _ON_FRAMES
        frames = frames or (isinstance(network, nn.Flatten) and network.start_dim == 1)
        return (frames and time_first(network)) or network
    parts = {name: over_time(child) for name, child in network.named_children()}
    if all(part is network.get_submodule(name) for name, part in parts.items()):
        return network
    result = nn.Sequential()
    for name, part in parts.items():
        part.training = network.get_submodule(name).training
        result.add_module(name, part)
    result.training = network.training
    return result


def adopt(ours: type[nn.Module], layer: nn.Module) -> nn.Module:
    """An instance of our subclass with all of the layer's attributes, parameters shared."""
    adopted = ours.__new__(ours)
    adopted.__dict__ = layer.__dict__.copy()
    return adopted


def uniform(values: object, what: str) -> float:
    """A parameter that must have one value for the whole layer. Raises LoweringError."""
    tensor = torch.as_tensor(values).detach().double().flatten()
    if tensor.numel() == 0 or not bool((tensor == tensor[0]).all()):
        raise LoweringError(f"{what} differs between neurons; arlif has one value per layer")
    return float(tensor[0])
