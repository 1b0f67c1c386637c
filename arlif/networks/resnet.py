"""Residual networks whose every shortcut starts at spikes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import require
from arlif.base.plain_data import STRICT
from arlif.networks.neuron_choice import NeuronConfig, make_neuron
from arlif.networks.stack import LARGEST

MOST_BLOCKS = 1000
"""Blocks of a stage, at most."""


@dataclass(frozen=True)
class PreActResNet:
    """Pre-activation ResNet (arXiv:1603.05027) as arXiv:2402.04663 and 2507.20746 train it.

    A block: x = neuron(bn(.)); conv3x3(neuron(bn(conv3x3(x)))) + shortcut(x), so the shortcut,
    a strided 1x1 convolution where the shape changes, always starts at spikes. Convolutions
    have a bias, but for the first. Defaults are ResNet-18. widths: channels of each stage.
    blocks: how many each stage has. dropout: rate before each block's second convolution and
    before the head. step_gains: a trained gain for each time step behind every batch norm (TEBN).
    kind: says which architecture the table is. Raises ArlifError.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    dropout: float = 0.0
    step_gains: bool = False
    kind: Literal["preact-resnet"] = "preact-resnet"

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        _check(self.widths, self.blocks, self.dropout)

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
        channels = self.widths[0]
        net.add_module("conv", layers.Conv2d(input_shape[0], channels, 3, padding=1, bias=False))
        for stage, (width, count) in enumerate(zip(self.widths, self.blocks, strict=True)):
            for number in range(count):
                first = stage == number == 0
                gained = time_steps if self.step_gains else 0
                block = PreActBlock(
                    channels,
                    width,
                    2 if stage > 0 and number == 0 else 1,
                    self.dropout,
                    (make_neuron(neuron, time_steps), make_neuron(neuron, time_steps)),
                    layers.Repeat(time_steps) if first and static else None,
                    gained,
                )
                net.add_module(f"stage{stage + 1}_{number + 1}", block)
                channels = width
        net.add_module("bn", layers.BatchNorm2d(channels))
        if self.step_gains:
            net.add_module("gain", layers.StepGain(time_steps))
        net.add_module("neuron", make_neuron(neuron, time_steps))
        net.add_module("average", layers.AdaptiveAvgPool2d(1))
        net.add_module("flatten", layers.Flatten())
        if self.dropout:
            net.add_module("dropout", layers.Dropout(self.dropout))
        net.add_module("head", layers.Linear(channels, classes))
        return net


class PreActBlock(nn.Module):
    """conv2(neuron2(bn2(conv1(x)))) + shortcut(x) with x = neuron1(bn1(input)).

    gained_steps: T where each batch norm has a gain for each time step behind it, else 0.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        stride: int,
        dropout: float,
        neurons: tuple[nn.Module, nn.Module],
        repeat: nn.Module | None,
        gained_steps: int,
    ) -> None:
        super().__init__()
        self.bn1 = layers.BatchNorm2d(channels)
        self.repeat = repeat
        self.gain1 = layers.StepGain(gained_steps) if gained_steps else None
        self.gain2 = layers.StepGain(gained_steps) if gained_steps else None
        self.neuron1, self.neuron2 = neurons
        self.conv1 = layers.Conv2d(channels, width, 3, stride, padding=1)
        self.bn2 = layers.BatchNorm2d(width)
        self.dropout = layers.Dropout(dropout) if dropout else None
        self.conv2 = layers.Conv2d(width, width, 3, padding=1)
        changes = stride != 1 or channels != width
        self.shortcut = layers.Conv2d(channels, width, 1, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """[T, N, C, H, W] to [T, N, width, H / stride, W / stride]."""
        x = self.bn1(x)
        x = x if self.repeat is None else self.repeat(x)
        spikes = self.neuron1(x if self.gain1 is None else self.gain1(x))
        x = self.bn2(self.conv1(spikes))
        inner = self.neuron2(x if self.gain2 is None else self.gain2(x))
        out = self.conv2(inner if self.dropout is None else self.dropout(inner))
        return out + (spikes if self.shortcut is None else self.shortcut(spikes))


@dataclass(frozen=True)
class ResNet19:
    """ResNet-19 (arXiv:2011.05280, as in TET, arXiv:2202.11946).

    conv 64; three stages of basic blocks, bn(conv3x3), neuron, bn(conv3x3) + shortcut, neuron;
    average; dense 256, neuron; dense. No convolution has a bias. widths: channels of each
    stage. blocks: how many each stage has. dropout: rate before the first dense layer. kind:
    says which architecture the table is. Raises ArlifError.
    """

    widths: tuple[int, ...] = (128, 256, 512)
    blocks: tuple[int, ...] = (3, 3, 2)
    dropout: float = 0.0
    kind: Literal["resnet19"] = "resnet19"

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        _check(self.widths, self.blocks, self.dropout)

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
        channels = 64
        net.add_module("conv", layers.Conv2d(input_shape[0], channels, 3, padding=1, bias=False))
        net.add_module("bn", layers.BatchNorm2d(channels))
        if static:
            net.add_module("repeat", layers.Repeat(time_steps))
        net.add_module("neuron", make_neuron(neuron, time_steps))
        for stage, (width, count) in enumerate(zip(self.widths, self.blocks, strict=True)):
            for number in range(count):
                stride = 2 if stage > 0 and number == 0 else 1
                pair = (make_neuron(neuron, time_steps), make_neuron(neuron, time_steps))
                block = BasicBlock(channels, width, stride, pair)
                net.add_module(f"stage{stage + 1}_{number + 1}", block)
                channels = width
        net.add_module("average", layers.AdaptiveAvgPool2d(1))
        net.add_module("flatten", layers.Flatten())
        if self.dropout:
            net.add_module("dropout", layers.Dropout(self.dropout))
        net.add_module("dense", layers.Linear(channels, 256))
        net.add_module("dense_neuron", make_neuron(neuron, time_steps))
        net.add_module("head", layers.Linear(256, classes))
        return net


class BasicBlock(nn.Module):
    """neuron2(bn2(conv2(neuron1(bn1(conv1(x))))) + shortcut(x)), x spikes."""

    def __init__(
        self, channels: int, width: int, stride: int, neurons: tuple[nn.Module, nn.Module]
    ) -> None:
        super().__init__()
        self.conv1 = layers.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = layers.BatchNorm2d(width)
        self.conv2 = layers.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = layers.BatchNorm2d(width)
        self.neuron1, self.neuron2 = neurons
        changes = stride != 1 or channels != width
        self.shortcut = layers.Conv2d(channels, width, 1, stride, bias=False) if changes else None
        self.shortcut_bn = layers.BatchNorm2d(width) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """[T, N, C, H, W] to [T, N, width, H / stride, W / stride]."""
        out = self.bn2(self.conv2(self.neuron1(self.bn1(self.conv1(x)))))
        if self.shortcut is not None and self.shortcut_bn is not None:
            x = self.shortcut_bn(self.shortcut(x))
        return self.neuron2(out + x)


def _check(widths: tuple[int, ...], blocks: tuple[int, ...], dropout: float) -> None:
    require(
        len(widths) == len(blocks) > 0 and min(*widths, *blocks) >= 1,
        f"a residual network needs a width and a block count of at least 1 per stage, not widths "
        f"{widths} and blocks {blocks}",
    )
    require(
        max(widths) <= LARGEST and max(blocks) <= MOST_BLOCKS,
        f"a residual network's widths reach up to {LARGEST:,} and its block counts up to "
        f"{MOST_BLOCKS:,}, not widths {widths} and blocks {blocks}",
    )
    require(0 <= dropout < 1, f"dropout lies in [0, 1), not {dropout}")
