"""Small networks with integrators between layers."""

import torch
from torch import Tensor, nn

import arlif
from arlif import layers


def hard(decay: float = 0.75, threshold: float = 0.5) -> arlif.LIF:
    return arlif.LIF(decay, threshold, reset="hard")


def integrator(leak: object = 0.0, decay: object = 0.5) -> layers.Integrator:
    return layers.Integrator(decay, leak)


def between(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64) * 0.5 + 0.3


class Branches(nn.Module):
    """Two currents that meet, each behind an integrator."""

    def __init__(self, first: nn.Module, second: nn.Module, neuron: nn.Module) -> None:
        super().__init__()
        self.a, self.b = layers.Linear(6, 5), layers.Linear(6, 5)
        self.first, self.second, self.neuron = first, second, neuron

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = self.neuron(self.first(self.a(x)) + self.second(self.b(x)))
        return joined


def flat(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(layers.Linear(6, 5), *parts)
