"""Color operations on RGB batches [N, 3, H, W] in [0, 1]; one amount per sample, [N].

Each equals the Pillow operation of the same name up to the rounding of 8-bit images.
"""

import torch
from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of red, green, blue."""


def brightness(x: Tensor, factor: Tensor) -> Tensor:
    """factor x, held in [0, 1]."""
    return _blend(x, torch.zeros_like(x), factor)


def color(x: Tensor, factor: Tensor) -> Tensor:
    """Away from (factor above 1) or towards the grey picture."""
    return _blend(x, gray(x), factor)


def contrast(x: Tensor, factor: Tensor) -> Tensor:
    """Away from or towards the mean grey."""
    return _blend(x, gray(x).mean((1, 2, 3), keepdim=True), factor)


def sharpness(x: Tensor, factor: Tensor) -> Tensor:
    """Away from or towards the smoothed picture; the border pixels stay."""
    kernel = torch.ones(3, 3, dtype=x.dtype, device=x.device)
    kernel[1, 1] = 5
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 3, 3)
    smooth = x.clone()
    smooth[..., 1:-1, 1:-1] = functional.conv2d(x, kernel, groups=x.shape[1])
    return _blend(x, smooth, factor)


def posterize(x: Tensor, bits: Tensor) -> Tensor:
    """Keep the highest `bits` of the 8 bits of every value."""
    step = (2 ** (8 - bits.to(x.dtype))).view(-1, 1, 1, 1)
    return ((x * 255).round() / step).floor() * step / 255


def solarize(x: Tensor, threshold: Tensor) -> Tensor:
    """Invert values at or above the threshold."""
    return torch.where(x >= threshold.view(-1, 1, 1, 1), 1 - x, x)


def autocontrast(x: Tensor, _: Tensor) -> Tensor:
    """Stretch every channel to [0, 1]; a channel of one value stays."""
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    flat = high <= low
    return torch.where(flat, x, (x - low) / torch.where(flat, torch.ones_like(low), high - low))


def equalize(x: Tensor, _: Tensor) -> Tensor:
    """Flatten every channel's histogram of 256 values."""
    values = (x * 255).round().long().flatten(2)
    counts = torch.zeros(*values.shape[:2], 256, dtype=torch.long, device=x.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    last = counts.gather(2, values.amax(2, keepdim=True))
    step = (values.shape[2] - last) // 255
    table = (counts.cumsum(2) - counts + step // 2) // step.clamp(min=1)
    flat = torch.where(step > 0, table.clamp(0, 255).gather(2, values), values)
    return (flat.to(x.dtype) / 255).view_as(x)


def gray(x: Tensor) -> Tensor:
    """The grey picture [N, 1, H, W]."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _blend(x: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(other.expand_as(x), x, factor.view(-1, 1, 1, 1)).clamp(0, 1)
