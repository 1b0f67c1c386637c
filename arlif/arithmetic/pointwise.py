"""Convolutions of one pixel, kept from a kernel that writes past its memory.

For Conv2d(cin, cout, 1, stride > 1) with the channels innermost, oneDNN's gradient of the weights
(jit_1x1, float32, oneDNN 3.12 in torch 2.13) gathers the pixels in a workspace that is too small:
with less than 8 channels on AVX2, and with less than 16 on AVX-512 from 64 x 64 pixels on. The
process dies, or waits for ever. Source: uxlfoundation/oneDNN, issue 6035.
"""

import torch
from torch import Tensor

FEW = 16
"""Input channels below which the workspace is too small, on the CPU with the widest vectors."""


def gathered(
    x: Tensor,
    weight: Tensor,
    stride: tuple[int, ...],
    padding: tuple[int, ...] | str,
    groups: int,
) -> tuple[Tensor, tuple[int, ...]]:
    """Input and stride of the same convolution, which does not meet that kernel.

    x [N, C, H, W], weight [Cout, C / groups, kH, kW]: where it would be met, the pixels that a
    kernel of one pixel reads, and stride 1; else x and `stride` as they are.
    """
    met = (
        x.device.type == "cpu"
        and groups == 1
        and weight.shape[1] < FEW
        and weight.shape[2:] == (1, 1)
        and stride != (1, 1)
        and padding in ((0, 0), "valid")
        and _channels_innermost(x, weight)
    )
    return (x[..., :: stride[0], :: stride[1]], (1, 1)) if met else (x, stride)


def _channels_innermost(x: Tensor, weight: Tensor) -> bool:
    """Whether one of both asks for that layout, as torch.compile does for every convolution."""
    return torch.compiler.is_compiling() or max(x.stride(-1), weight.stride(-1)) > 1
