"""One builder for every architecture."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Discriminator, Tag
from torch import nn
from torch.nn.parameter import is_lazy

from arlif.base.errors import require
from arlif.base.memory import enough_memory
from arlif.base.plain_data import STRICT
from arlif.core.nodes import MOST_STEPS
from arlif.layers import evaluating
from arlif.networks.airbench import Airbench
from arlif.networks.neuron_choice import NeuronConfig
from arlif.networks.resnet import PreActResNet, ResNet19
from arlif.networks.stack import Stack


def kind(value: Any) -> Any:
    """Which architecture a mapping means."""
    return value.get("kind", Stack.kind) if isinstance(value, dict) else Stack.kind


Architecture = Annotated[
    Annotated[Stack, Tag(Stack.kind)]
    | Annotated[PreActResNet, Tag(PreActResNet.kind)]
    | Annotated[ResNet19, Tag(ResNet19.kind)]
    | Annotated[Airbench, Tag(Airbench.kind)],
    Discriminator(kind),
]
"""Told apart in files by `kind`, a stack where none is given."""


@dataclass(frozen=True)
class NetworkConfig:
    """A network, completely: architecture, neuron, input, output and time.

    input_shape: (C, H, W). static: images [1, N, C, H, W], shown at every time step; else frames
    [T, N, C, H, W]. time_steps: T, 1 to MOST_STEPS. Raises ArlifError.
    """

    architecture: Architecture
    neuron: NeuronConfig
    input_shape: tuple[int, int, int]
    classes: int
    time_steps: int
    static: bool

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            1 <= self.time_steps <= MOST_STEPS,
            f"a network runs for at least 1 time step and at most {MOST_STEPS:,}, not "
            f"{self.time_steps}",
        )
        require(self.classes >= 2, f"a classifier needs at least 2 classes, not {self.classes}")
        require(min(self.input_shape) >= 1, f"{self.input_shape} is no input shape (C, H, W)")


def build(config: NetworkConfig) -> nn.Module:
    """A new network with random weights: convolutions Kaiming-normal (fan out), their biases 0.

    Those of Airbench start its own way.

    It takes real inputs, time first ([1, N, C, H, W] images or [T, N, C, H, W] frames) and returns
    logits [T, N, classes]. Draws from torch's global generator: seed that for equal weights.
    Raises ArlifError where the input is too small, or memory too scarce, for the architecture.
    """
    with enough_memory("choose a smaller architecture"):
        net = config.architecture.build(
            config.input_shape, config.classes, config.time_steps, config.static, config.neuron
        )
    if isinstance(config.architecture, Airbench):
        config.architecture.start(net)
    else:
        _start(net)
    if any(is_lazy(parameter) for parameter in net.parameters()):
        run_once(net, config)
    return net


def _start(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def run_once(net: nn.Module, config: NetworkConfig) -> None:
    """Show the network one empty sample, which lets neurons find their shapes.

    Raises ArlifError where memory is too scarce, or where logits [T, 1, classes] do not come out.
    """
    steps = 1 if config.static else config.time_steps
    with evaluating(net), torch.no_grad(), enough_memory("choose a smaller architecture"):
        logits = net(torch.zeros(steps, 1, *config.input_shape))
    found, wanted = tuple(logits.shape), (config.time_steps, 1, config.classes)
    require(
        found == wanted,
        f"a network gives logits [T, N, classes], of one sample {wanted}, not {found}",
    )
