"""Augmentation of whole batches on the device they lie on, every sample drawn for itself.

Images are [N, C, H, W], event frames [N, T, C, H, W]; values are real, before normalization. All
random numbers come from torch's global generator, which the training seeds every epoch.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from arlif.base.errors import require
from arlif.base.plain_data import STRICT
from arlif.training import wide
from arlif.training.warp import pick, rotate, translate

LEAST_BETA = 0.001
"""A Beta distribution below gives shares that are 0 or 1 in float32 anyway."""


@dataclass(frozen=True)
class Augmentation:
    """Which augmentations a recipe uses, applied in this order; the defaults do nothing.

    crop: pixels of zero padding around which an image of the old size is cut. shift: by up
    to so many pixels, of an image that is mirrored at its border. flip: left-right, half of
    the samples. alternate: every sample left-right in every other epoch, half of them first
    (arXiv:2404.00498). roll: shift by up to so many pixels, what leaves on one side enters
    on the other. rotate: by up to so many degrees. trivial_wide: TrivialAugmentWide
    (arXiv:2103.10158), for RGB only. rand_augment: RandAugment (arXiv:1909.13719) of two
    operations at magnitude 9 of 30, for RGB only. event_wide: one of identity, shear,
    shift, rotation, erasing (arXiv:2507.20746). cutout: side of a square set to the mean
    (arXiv:1708.04552). erase: share of samples with a random rectangle set to the mean
    (arXiv:1708.04896). mixup (arXiv:1710.09412), cutmix (arXiv:1905.04899): the parameter
    of the Beta distribution, 0 for none; with both, each batch draws one. Raises
    ArlifError.
    """

    crop: int = 0
    shift: int = 0
    flip: bool = False
    alternate: bool = False
    roll: int = 0
    rotate: float = 0.0
    trivial_wide: bool = False
    rand_augment: bool = False
    event_wide: bool = False
    cutout: int = 0
    erase: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0

    MOST: ClassVar = {
        "crop": 1024,
        "shift": 1024,
        "roll": 1024,
        "cutout": 1024,
        "rotate": 360.0,
        "erase": 1.0,
        "mixup": 1000.0,
        "cutmix": 1000.0,
    }
    __pydantic_config__: ClassVar = STRICT

    @property
    def needs_color(self) -> bool:
        """Whether an operation is made for RGB images."""
        return self.trivial_wide or self.rand_augment

    @property
    def mixes(self) -> bool:
        """Whether samples are mixed with others, so that they have no label of their own."""
        return self.mixup > 0 or self.cutmix > 0

    def __post_init__(self) -> None:
        for name, most in self.MOST.items():
            value = getattr(self, name)
            require(0 <= value <= most, f"augmentation {name} lies in [0, {most}], not {value}")
        require(
            not (self.flip and self.alternate),
            "augmentation flip undoes what alternate does in half of the epochs; leave one out",
        )
        for name in ("mixup", "cutmix"):
            value = getattr(self, name)
            require(
                value == 0 or value >= LEAST_BETA,
                f"augmentation {name} is 0 for none or at least {LEAST_BETA}, not {value}",
            )


def augment(
    settings: Augmentation, x: Tensor, targets: Tensor, fill: Tensor
) -> tuple[Tensor, Tensor]:
    """An augmented batch and its targets.

    x: [N, C, H, W] or [N, T, C, H, W], of any shape where nothing is to be done. targets: class
    probabilities [N, classes]. fill: value of erased pixels per channel, [C].
    """
    if settings == Augmentation():
        return x, targets
    shape = x.shape
    x = x.flatten(1, -3)  # the frames of a recording are changed alike
    fill = fill.to(x).repeat(x.shape[1] // len(fill)).view(1, -1, 1, 1)
    n, device = len(x), x.device
    if settings.crop:
        x = translate(x, _integers(n, settings.crop, device), _integers(n, settings.crop, device))
    if settings.shift:
        x = _shift(x, settings.shift)
    if settings.flip:
        x = torch.where(_chosen(n, 0.5, device), x.flip(-1), x)
    if settings.roll:
        x = _roll(x, settings.roll)
    if settings.rotate:
        x = rotate(x, (2 * torch.rand(n, device=device) - 1) * settings.rotate, fade=True)
    if settings.trivial_wide:
        x = wide.trivial_augment_wide(x)
    if settings.rand_augment:
        x = wide.rand_augment(x)
    if settings.event_wide:
        x = wide.event_augment_wide(x)
    if settings.cutout:
        x = torch.where(_square(x, settings.cutout), fill, x)
    if settings.erase:
        x = torch.where(wide.rectangles(x) & _chosen(n, settings.erase, device), fill, x)
    x, targets = _mix(settings, x, targets)
    return x.view(shape), targets


def alternated(x: Tensor, raw: Tensor, epoch: int) -> Tensor:
    """x [N, ..., W], left-right those whose turn it is.

    raw: the samples as they are stored, [N, ...] whole numbers: whose sum is odd begins in epoch 0.
    """
    odd = raw.flatten(1).sum(1, dtype=torch.int64) % 2
    turn = (odd + epoch) % 2 == 1
    return torch.where(turn.view(-1, *(1,) * (x.ndim - 1)), x.flip(-1), x)


def _integers(n: int, largest: int, device: torch.device) -> Tensor:
    return torch.randint(-largest, largest + 1, (n,), device=device)


def _chosen(n: int, share: float, device: torch.device) -> Tensor:
    return (torch.rand(n, device=device) < share).view(-1, 1, 1, 1)


def _roll(x: Tensor, largest: int) -> Tensor:
    n, _, height, width = x.shape
    rows = torch.arange(height, device=x.device) - _integers(n, largest, x.device)[:, None]
    columns = torch.arange(width, device=x.device) - _integers(n, largest, x.device)[:, None]
    return pick(x, rows % height, columns % width)


def _shift(x: Tensor, largest: int) -> Tensor:
    n, _, height, width = x.shape
    moved = []
    for size in (height, width):
        place = torch.arange(size, device=x.device) - _integers(n, largest, x.device)[:, None]
        period = max(1, 2 * (size - 1))
        moved.append((place % period - (size - 1)).abs().neg() + (size - 1))
    return pick(x, *moved)


def _square(x: Tensor, side: int) -> Tensor:
    """A mask [N, 1, H, W] of squares around random centres, cut at the border."""
    n, _, height, width = x.shape
    centre_y = torch.randint(height, (n,), device=x.device)
    centre_x = torch.randint(width, (n,), device=x.device)
    top, left = centre_y - side // 2, centre_x - side // 2
    return wide.box(x, top, left, top + side, left + side)


def _mix(settings: Augmentation, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mixup or cutmix of every sample with its neighbour in the batch."""
    alphas = [alpha for alpha in (settings.mixup, settings.cutmix) if alpha]
    if not alphas:
        return x, targets
    number = int(torch.randint(len(alphas), ()))
    keep = float(torch.distributions.Beta(alphas[number], alphas[number]).sample())
    other, other_targets = x.roll(1, 0), targets.roll(1, 0)
    if settings.mixup and number == 0:
        x = keep * x + (1 - keep) * other
    else:
        height, width = x.shape[-2:]
        half = 0.5 * math.sqrt(1 - keep)
        y, column = (int(torch.randint(size, ())) for size in (height, width))
        top, bottom = max(0, y - int(half * height)), min(height, y + int(half * height))
        left, right = max(0, column - int(half * width)), min(width, column + int(half * width))
        x = x.clone()
        x[..., top:bottom, left:right] = other[..., top:bottom, left:right]
        keep = 1 - (bottom - top) * (right - left) / (height * width)
    return x, functional.normalize(keep * targets + (1 - keep) * other_targets, p=1, dim=1)
