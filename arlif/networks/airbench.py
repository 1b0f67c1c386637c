"""The small fast network for CIFAR-10 of airbench, with spiking neurons."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import require
from arlif.base.plain_data import STRICT
from arlif.networks.neuron_choice import NeuronConfig, make_neuron
from arlif.networks.stack import LARGEST

EPS = 5e-4
"""Added to the variances that whitening divides by (airbench94, arXiv:2404.00498)."""

PATCH = 2
"""Side of the patches that the first convolution whitens (arXiv:2404.00498, section 3.1)."""


@dataclass(frozen=True)
class Airbench:
    """airbench94 (arXiv:2404.00498) with neurons in place of its GELUs, each in front of its pool.

    A 2x2 convolution that whitens the training images' patches and does not learn, but for its
    bias: every direction and its negative, so 8 channels for each of the input. Then a block for
    each width: conv3x3, bn, neuron, 2x2 max pool (the OR of spikes), conv3x3, bn, neuron; a max
    pool over all that is left; dense. The 3x3 convolutions have no bias and start by passing their
    first channels on; a bn has no gain to learn. widths: channels of each block. gain: of every
    bn and of what is whitened, in (0, 8]: the standard deviation of currents. kind: says which
    architecture the table is. Raises ArlifError.
    """

    widths: tuple[int, ...] = (64, 256, 256)
    gain: float = 0.5
    kind: Literal["airbench"] = "airbench"

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            len(self.widths) >= 1 and min(self.widths) >= 1 and max(self.widths) <= LARGEST,
            f"widths are those of one block or more, each 1 to {LARGEST:,}, not {self.widths}",
        )
        require(0 < self.gain <= 8, f"gain lies in (0, 8], not {self.gain}")

    def build(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        time_steps: int,
        static: bool,
        neuron: NeuronConfig,
    ) -> nn.Module:
        """The network; see arlif.networks.builder. What it whitens `whiten` tells it."""
        channels, side = input_shape[0], min(input_shape[1:])
        require(
            static and input_shape[1] == input_shape[2] and (side - 1) >> len(self.widths) >= 1,
            f"airbench takes square images of at least {(1 << len(self.widths)) + 1} pixels, shown "
            f"at every time step, not {'images' if static else 'frames'} of {input_shape}",
        )
        net = nn.Sequential()
        white = 2 * channels * PATCH**2
        net.add_module("whiten", layers.Conv2d(channels, white, PATCH))
        net.add_module("repeat", layers.Repeat(time_steps))
        net.add_module("neuron", make_neuron(neuron, time_steps))
        for block, width in enumerate(self.widths, 1):
            for part, inputs in (("a", white), ("b", width)):
                conv = layers.Conv2d(inputs, width, 3, padding=1, bias=False)
                net.add_module(f"conv{block}{part}", conv)
                net.add_module(f"bn{block}{part}", layers.BatchNorm2d(width))
                net.add_module(f"neuron{block}{part}", make_neuron(neuron, time_steps))
                if part == "a":
                    net.add_module(f"pool{block}", layers.MaxPool2d(2))
            white = width
        net.add_module("pool", layers.MaxPool2d((side - 1) >> len(self.widths)))
        net.add_module("flatten", layers.Flatten())
        net.add_module("head", layers.Linear(white, classes, bias=False))
        return net

    def start(self, net: nn.Module) -> None:
        """Give a network that `build` made its first weights, and freeze what does not learn."""
        for name, module in net.named_children():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, self.gain).requires_grad_(False)
            elif name == "whiten" and isinstance(module, nn.Conv2d):
                module.weight.requires_grad_(False)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                with torch.no_grad():
                    nn.init.dirac_(module.weight[: module.in_channels])

    def whiten(self, net: nn.Module, images: Tensor) -> None:
        """Let the first convolution of a network of this kind whiten the patches of images.

        images: real [N, C, H, W], as the network takes them. With eigenvectors e_i and eigenvalues
        l_i of the patches' second moments the filters are gain e_i / sqrt(l_i + EPS) and their
        negatives, so that gain is the standard deviation of what comes out.
        """
        conv = net.get_submodule("whiten")
        assert isinstance(conv, nn.Conv2d)
        patches = nn.functional.unfold(images.double(), PATCH).transpose(1, 2).flatten(0, 1)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        scaled = self.gain * vectors / (values.clamp(min=0) + EPS).sqrt()
        filters = scaled.T.reshape(-1, *conv.weight.shape[1:])
        with torch.no_grad():
            conv.weight.copy_(torch.cat([filters, -filters]))
