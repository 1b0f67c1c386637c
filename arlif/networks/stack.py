"""Plain stacks: convolutions, average pools, dense layers. The VGG family and small networks."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from arlif import layers
from arlif.base.errors import require
from arlif.base.plain_data import STRICT
from arlif.networks.neuron_choice import NeuronConfig, make_neuron
from arlif.neurons.recurrent import Recurrent

LARGEST = 1 << 20
"""Channels or neurons of a layer, at most."""


@dataclass(frozen=True)
class Stack:
    """Convolutions (3x3, batch norm, neuron), 2x2 average pools, then dense layers.

    features: output channels of each convolution, or "pool". pooled: average each channel down,
    or spread it, to pooled x pooled before the dense layers; 0 leaves it as it is. hidden:
    sizes of dense layers (batch norm, neuron). recurrent: each of them feeds itself, too: its
    spikes go through a dense layer without bias and arrive one time step later. step_gains: a
    trained gain for each time step behind every batch norm (TEBN). dropout: rate before every
    dense layer but one that takes the input itself. feature_dropout: rate behind every
    convolution's neuron. dense_std: standard deviation of the first weights of the dense
    layers between others, whose biases start at 0; with 0, both start as torch does it. kind:
    says which architecture the table is. Raises ArlifError.
    """

    features: tuple[int | Literal["pool"], ...] = ()
    hidden: tuple[int, ...] = ()
    pooled: int = 0
    dropout: float = 0.0
    feature_dropout: float = 0.0
    recurrent: bool = False
    step_gains: bool = False
    dense_std: float = 0.0
    kind: Literal["stack"] = "stack"

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            bool(self.features or self.hidden) and self.features[:1] != ("pool",),
            "a stack starts with a convolution or a dense layer: give features or hidden a size",
        )
        sizes = [f for f in self.features if isinstance(f, int)] + list(self.hidden)
        require(min(sizes) >= 1, f"layer sizes must be at least 1, not {min(sizes)}")
        for size in (max(sizes), self.pooled):
            require(size <= LARGEST, f"layer sizes and pooled reach up to {LARGEST:,}, not {size}")
        require(self.pooled >= 0, f"pooled cannot be negative: {self.pooled}")
        for rate in (self.dropout, self.feature_dropout):
            require(0 <= rate < 1, f"dropout lies in [0, 1), not {rate}")
        require(
            not (self.recurrent and self.step_gains),
            "a gain for each time step cannot be deployed in front of neurons that feed "
            "themselves: leave out step_gains or recurrent",
        )
        require(
            bool(self.hidden) or not self.recurrent,
            "recurrent layers are the hidden ones: give hidden a size, or leave out recurrent",
        )
        require(
            0 <= self.dense_std < math.inf,
            f"dense_std must be finite and cannot be negative: {self.dense_std}",
        )

    def build(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        time_steps: int,
        static: bool,
        neuron: NeuronConfig,
    ) -> nn.Module:
        """The network; see arlif.networks.builder."""
        net = nn.Sequential()
        channels, height, width = input_shape
        number = pools = 0

        def add_neuron(channel_count: int, norm: type[nn.Module], recurrent: bool = False) -> None:
            net.add_module(f"bn{number}", norm(channel_count))
            if number == 1 and static:
                net.add_module("repeat", layers.Repeat(time_steps))
            if self.step_gains:
                net.add_module(f"gain{number}", layers.StepGain(time_steps))
            fires = make_neuron(neuron, time_steps)
            back = layers.Linear(channel_count, channel_count, bias=False) if recurrent else None
            net.add_module(f"neuron{number}", Recurrent(fires, back) if back else fires)

        def add_dropout(rate: float) -> None:
            if rate:
                net.add_module(f"dropout{len(net)}", layers.Dropout(rate))

        def add_dense(name: str, inputs: int, outputs: int) -> None:
            if name != "dense1":
                add_dropout(self.dropout)
            dense = layers.Linear(inputs, outputs)
            if self.dense_std:
                nn.init.normal_(dense.weight, 0, self.dense_std)
                nn.init.zeros_(dense.bias)
            net.add_module(name, dense)

        for feature in self.features:
            if feature == "pool":
                require(
                    min(height, width) >= 2,
                    f"images of {input_shape[1:]} are too small for "
                    f"{self.features.count('pool')} pools; leave some out",
                )
                pools += 1
                net.add_module(
                    f"pool{number}" if pools == 1 else f"pool{number}_{pools}", layers.AvgPool2d(2)
                )
                height, width = height // 2, width // 2
                continue
            number, pools = number + 1, 0
            net.add_module(f"conv{number}", layers.Conv2d(channels, feature, 3, padding=1))
            add_neuron(feature, layers.BatchNorm2d)
            add_dropout(self.feature_dropout)
            channels = feature
        if self.pooled:
            net.add_module("average", layers.AdaptiveAvgPool2d(self.pooled))
            height = width = self.pooled
        net.add_module("flatten", layers.Flatten())
        size = channels * height * width
        for hidden in self.hidden:
            number += 1
            add_dense(f"dense{number}", size, hidden)
            add_neuron(hidden, layers.BatchNorm1d, self.recurrent)
            size = hidden
        add_dense("head", size, classes)
        return net
