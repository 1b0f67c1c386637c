"""TrivialAugmentWide, RandAugment, and one for events: every sample draws its operations.

Strengths are torch.linspace's, cut to whole pixels as int() does: what the released programs draw.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from arlif.training import color
from arlif.training.warp import rotate, shear_x, shear_y, translate

BINS = 31
"""Strengths that an operation is drawn with (arXiv:2103.10158)."""

RAND_OPERATIONS, RAND_BIN = 2, 9
"""RandAugment's operations per sample and their strength (arXiv:1909.13719)."""

Operation = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Takes samples [n, C, H, W], the number of a strength (0 to BINS - 1) and a sign of 1 or -1, [n]
each."""


def trivial_augment_wide(x: Tensor) -> Tensor:
    """One of 14 operations per sample (arXiv:2103.10158, wide), x RGB in [0, 1]."""
    return _draw(_TRIVIAL, x, _any_bin(x))


def rand_augment(x: Tensor) -> Tensor:
    """Two of 14 operations per sample, drawn with replacement (arXiv:1909.13719), x RGB in [0, 1].

    Two, at strength 9 of 30, in torchvision's space.
    """
    for _ in range(RAND_OPERATIONS):
        x = _draw(_RAND, x, torch.full((len(x),), RAND_BIN, device=x.device))
    return x


def event_augment_wide(x: Tensor) -> Tensor:
    """One of 6 operations per sample, as the released event experiments of arXiv:2507.20746."""
    return _draw(_EVENT, x, _any_bin(x))


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


def _any_bin(x: Tensor) -> Tensor:
    return torch.randint(BINS, (len(x),), device=x.device)


def _draw(operations: tuple[Operation, ...], x: Tensor, bins: Tensor) -> Tensor:
    n, device = len(x), x.device
    drawn = torch.randint(len(operations), (n,), device=device)
    sign = 1 - 2 * torch.randint(2, (n,), device=device)
    out = x.clone()
    for number, operation in enumerate(operations):
        here = (drawn == number).nonzero().squeeze(1)
        if len(here):
            out[here] = operation(x[here], bins[here], sign[here])
    return out


def _strengths(low: float, high: float, bins: Tensor) -> Tensor:
    return torch.linspace(low, high, BINS).to(bins.device)[bins]


def _identity(x: Tensor, bins: Tensor, sign: Tensor) -> Tensor:
    return x


def _shift(low: float, high: float, down: bool, of_side: bool = False) -> Operation:
    """From low to high pixels, or shares of the side."""

    def operation(x: Tensor, bins: Tensor, sign: Tensor) -> Tensor:
        side = x.shape[-2 if down else -1] if of_side else 1
        amount = _strengths(low * side, high * side, bins).long() * sign
        none = torch.zeros_like(amount)
        return translate(x, none, amount) if down else translate(x, amount, none)

    return operation


def _warp(warp: Callable[[Tensor, Tensor], Tensor], low: float, high: float) -> Operation:
    return lambda x, bins, sign: warp(x, _strengths(low, high, bins) * sign)


def _enhance(change: Callable[[Tensor, Tensor], Tensor], most: float) -> Operation:
    return lambda x, bins, sign: change(x, 1 + _strengths(0, most, bins) * sign)


def _images(
    shear: float, shift: tuple[Operation, Operation], turn: float, enhance: float, bits: int
) -> tuple[Operation, ...]:
    """The 14 operations on images; the largest shear, rotation, change of colors, bits lost."""
    return (
        _identity,
        _warp(shear_x, 0, shear),
        _warp(shear_y, 0, shear),
        *shift,
        _warp(rotate, 0, turn),
        _enhance(color.brightness, enhance),
        _enhance(color.color, enhance),
        _enhance(color.contrast, enhance),
        _enhance(color.sharpness, enhance),
        lambda x, bins, sign: color.posterize(x, 8 - (bins / ((BINS - 1) / bits)).round()),
        lambda x, bins, sign: color.solarize(x, 1 - bins / (BINS - 1)),
        lambda x, bins, sign: color.autocontrast(x, bins),
        lambda x, bins, sign: color.equalize(x, bins),
    )


def _shear_event(x: Tensor, angle: Tensor) -> Tensor:
    """By an angle (radians), about the centre."""
    return shear_x(x, angle.tan(), (x.shape[-2] - 1) / 2, fade=True)


def _rotate_event(x: Tensor, degrees: Tensor) -> Tensor:
    return rotate(x, degrees, fade=True)


def _erase(x: Tensor, bins: Tensor, sign: Tensor) -> Tensor:
    return torch.where(rectangles(x, (0.05, 0.33), (0.2, 5.0)), torch.zeros_like(x), x)


_TRIVIAL = _images(0.99, (_shift(0, 32, down=False), _shift(0, 32, down=True)), 135, 0.99, 6)

_RAND_SHARE = 150 / 331
_RAND = _images(
    0.3,
    (
        _shift(0, _RAND_SHARE, down=False, of_side=True),
        _shift(0, _RAND_SHARE, down=True, of_side=True),
    ),
    30,
    0.9,
    4,
)

_EVENT: tuple[Operation, ...] = (
    _identity,
    _warp(_shear_event, -0.3, 0.3),
    _shift(-5, 5, down=False),
    _shift(-5, 5, down=True),
    _warp(_rotate_event, -30, 30),
    _erase,
)
