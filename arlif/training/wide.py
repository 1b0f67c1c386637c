"""TrivialAugmentWide and its counterpart for events: every sample draws one operation."""

from collections.abc import Callable

import torch
from torch import Tensor

from arlif.training import color
from arlif.training.warp import rotate, shear_x, shear_y, translate

BINS = 31
"""Strengths that an operation is drawn with (arXiv:2103.10158)."""

Operation = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Takes samples [n, C, H, W], strengths in [0, 1] and signs of -1 or 1, [n] each."""


def trivial_augment_wide(x: Tensor) -> Tensor:
    """One of 14 operations per sample (arXiv:2103.10158, wide), x RGB in [0, 1]."""
    return _draw(_TRIVIAL, x)


def event_augment_wide(x: Tensor) -> Tensor:
    """One of 6 operations per sample, as the released event experiments of arXiv:2507.20746."""
    return _draw(_EVENT, x)


def rectangles(
    x: Tensor, area: tuple[float, float] = (0.02, 0.33), ratio: tuple[float, float] = (0.3, 3.3)
) -> Tensor:
    """A mask [N, 1, H, W] of one random rectangle per sample (arXiv:1708.04896).

    area: share of the picture. ratio: height over width, drawn evenly on a logarithmic scale.
    """
    n, _, height, width = x.shape
    share = torch.empty(n, device=x.device).uniform_(*area)
    log_ratio = torch.empty(n, device=x.device).uniform_(*torch.tensor(ratio).log().tolist())
    side = (share * height * width).sqrt()
    tall = (side * (log_ratio / 2).exp()).round().clamp(1, height)
    wide = (side / (log_ratio / 2).exp()).round().clamp(1, width)
    top = (torch.rand(n, device=x.device) * (height - tall + 1)).floor()
    left = (torch.rand(n, device=x.device) * (width - wide + 1)).floor()
    return box(x, top, left, top + tall, left + wide)


def box(x: Tensor, top: Tensor, left: Tensor, bottom: Tensor, right: Tensor) -> Tensor:
    """A mask [N, 1, H, W] of the pixels from (top, left) up to, not including, (bottom, right)."""
    rows = torch.arange(x.shape[-2], device=x.device).view(1, 1, -1, 1)
    columns = torch.arange(x.shape[-1], device=x.device).view(1, 1, 1, -1)
    top, left, bottom, right = (edge.view(-1, 1, 1, 1) for edge in (top, left, bottom, right))
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)


def _draw(operations: tuple[Operation, ...], x: Tensor) -> Tensor:
    n, device = len(x), x.device
    drawn = torch.randint(len(operations), (n,), device=device)
    strength = torch.randint(BINS, (n,), device=device) / (BINS - 1)
    sign = 1.0 - 2.0 * torch.randint(2, (n,), device=device)
    out = x.clone()
    for number, operation in enumerate(operations):
        here = (drawn == number).nonzero().squeeze(1)
        if len(here):
            out[here] = operation(x[here], strength[here], sign[here])
    return out


def _identity(x: Tensor, strength: Tensor, sign: Tensor) -> Tensor:
    return x


def _shift(pixels: float, down: bool) -> Operation:
    def operation(x: Tensor, strength: Tensor, sign: Tensor) -> Tensor:
        amount = (strength * pixels).floor() * sign
        none = torch.zeros_like(amount)
        return translate(x, none, amount) if down else translate(x, amount, none)

    return operation


def _shear_about_centre(x: Tensor, amount: Tensor) -> Tensor:
    return shear_x(x, amount, (x.shape[-2] - 1) / 2)


def _warp(warp: Callable[[Tensor, Tensor], Tensor], largest: float) -> Operation:
    return lambda x, strength, sign: warp(x, strength * largest * sign)


def _enhance(change: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    return lambda x, strength, sign: change(x, 1 + 0.99 * strength * sign)


def _erase(x: Tensor, strength: Tensor, sign: Tensor) -> Tensor:
    return torch.where(rectangles(x, (0.05, 0.33), (0.2, 5.0)), torch.zeros_like(x), x)


_TRIVIAL: tuple[Operation, ...] = (
    _identity,
    _warp(shear_x, 0.99),
    _warp(shear_y, 0.99),
    _shift(32, down=False),
    _shift(32, down=True),
    _warp(rotate, 135),
    _enhance(color.brightness),
    _enhance(color.color),
    _enhance(color.contrast),
    _enhance(color.sharpness),
    lambda x, strength, sign: color.posterize(x, 8 - (6 * strength).round()),
    lambda x, strength, sign: color.solarize(x, 1 - strength),
    lambda x, strength, sign: color.autocontrast(x, strength),
    lambda x, strength, sign: color.equalize(x, strength),
)

_EVENT: tuple[Operation, ...] = (
    _identity,
    _warp(_shear_about_centre, 0.3),
    _shift(5, down=False),
    _shift(5, down=True),
    _warp(rotate, 30),
    _erase,
)
