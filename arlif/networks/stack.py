"""Plain stacks: convolutions, average pools, dense layers."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from arlif import layers
from arlif.errors import require
from arlif.mapping import STRICT
from arlif.networks.neuron import NeuronConfig, make_neuron


@dataclass(frozen=True)
class Stack:
    """Convolutions (3x3, batch norm, neuron), 2x2 average pools, then dense layers.

    features: output channels of each convolution, or "pool". hidden: sizes of dense spiking layers.
    dropout: before every dense layer. global_pool: average each channel over the whole image
    before the dense layers, instead of flattening it. Raises ArlifError.
    """

    features: tuple[int | Literal["pool"], ...]
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0
    global_pool: bool = False
    kind: Literal["stack"] = "stack"

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            bool(self.features) and self.features[0] != "pool",
            "a stack starts with a convolution: give features its output channels first",
        )
        sizes = [f for f in self.features if isinstance(f, int)] + list(self.hidden)
        require(min(sizes) >= 1, f"layer sizes must be at least 1, not {min(sizes)}")
        require(0 <= self.dropout < 1, f"dropout lies in [0, 1), not {self.dropout}")

    def modules(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        time_steps: int,
        static: bool,
        neuron: NeuronConfig,
    ) -> nn.Module:
        """The network; see arlif.networks.build."""
        channels, height, width = input_shape
        net = nn.Sequential()
        number = 0
        for feature in self.features:
            if feature == "pool":
                require(
                    min(height, width) >= 2,
                    f"images of {input_shape[1:]} are too small for "
                    f"{self.features.count('pool')} pools; leave some out",
                )
                net.add_module(f"pool{number}", layers.AvgPool2d(2))
                height, width = height // 2, width // 2
                continue
            number += 1
            net.add_module(f"conv{number}", layers.Conv2d(channels, feature, 3, padding=1))
            net.add_module(f"bn{number}", layers.BatchNorm2d(feature))
            if number == 1 and static:
                net.add_module("repeat", layers.Repeat(time_steps))
            net.add_module(f"neuron{number}", make_neuron(neuron, time_steps))
            channels = feature
        if self.global_pool:
            net.add_module("average", layers.AdaptiveAvgPool2d(1))
            height = width = 1
        net.add_module("flatten", layers.Flatten())
        size = channels * height * width
        for hidden in self.hidden:
            number += 1
            self._add_dropout(net, number)
            net.add_module(f"dense{number}", layers.Linear(size, hidden))
            net.add_module(f"bn{number}", layers.BatchNorm1d(hidden))
            net.add_module(f"neuron{number}", make_neuron(neuron, time_steps))
            size = hidden
        self._add_dropout(net, number + 1)
        net.add_module("head", layers.Linear(size, classes))
        return net

    def _add_dropout(self, net: nn.Sequential, number: int) -> None:
        if self.dropout:
            net.add_module(f"dropout{number}", layers.Dropout(self.dropout))
