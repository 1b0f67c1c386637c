"""Augmentation: Pillow as oracle for colors, exact cases for geometry, invariants for mixing."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from arlif.base.errors import ArlifError
from arlif.training import load_recipe, wide
from arlif.training.augment import Augmentation, augment
from arlif.training.color import (
    autocontrast,
    brightness,
    color,
    contrast,
    equalize,
    posterize,
    sharpness,
    solarize,
)
from arlif.training.warp import rotate, shear_x, shear_y, translate

PILLOW = [
    (brightness, 1.6, lambda im: ImageEnhance.Brightness(im).enhance(1.6)),
    (brightness, 0.3, lambda im: ImageEnhance.Brightness(im).enhance(0.3)),
    (color, 0.2, lambda im: ImageEnhance.Color(im).enhance(0.2)),
    (color, 1.9, lambda im: ImageEnhance.Color(im).enhance(1.9)),
    (contrast, 1.7, lambda im: ImageEnhance.Contrast(im).enhance(1.7)),
    (sharpness, 1.8, lambda im: ImageEnhance.Sharpness(im).enhance(1.8)),
    (sharpness, 0.1, lambda im: ImageEnhance.Sharpness(im).enhance(0.1)),
    (posterize, 3.0, lambda im: ImageOps.posterize(im, 3)),
    (solarize, 100 / 255, lambda im: ImageOps.solarize(im, 100)),
    (autocontrast, 0.0, ImageOps.autocontrast),
    (equalize, 0.0, ImageOps.equalize),
]


def picture():
    rng = np.random.default_rng(0)
    smooth = np.linspace(20, 230, 32)[:, None, None] * np.array([1.0, 0.6, 0.3])
    return (smooth + rng.integers(-20, 20, (32, 32, 3))).clip(0, 255).astype(np.uint8)


def as_batch(image):
    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]


@pytest.mark.parametrize(
    ("ours", "amount", "theirs"), PILLOW, ids=[f"{p[0].__name__}-{p[1]:.1f}" for p in PILLOW]
)
def test_color_operations_equal_pillow(ours, amount, theirs):
    image = picture()
    want = np.asarray(theirs(Image.fromarray(image))).astype(int)
    got = (ours(as_batch(image), torch.tensor([amount]))[0] * 255).permute(1, 2, 0).numpy()
    assert np.abs(got - want).max() <= 2.0


def test_quarter_turn_is_exact():
    x = torch.rand(2, 3, 8, 8)
    got = rotate(x, torch.tensor([90.0, -90.0]))
    assert torch.allclose(got[0], torch.rot90(x[0], 1, (1, 2)), atol=1e-5)
    assert torch.allclose(got[1], torch.rot90(x[1], -1, (1, 2)), atol=1e-5)


def test_translation_moves_whole_pixels_and_lets_zeros_in():
    x = torch.randint(256, (2, 1, 34, 34)).float()
    got = translate(x, torch.tensor([2, -3]), torch.tensor([-1, 40]))
    want = torch.zeros_like(x)
    want[0, :, :33, 2:] = x[0, :, 1:, :32]
    assert torch.equal(got, want)


def affine(image, matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


GEOMETRY = [
    (lambda x, a: shear_x(x, a), 0.31, lambda im: affine(im, (1, 0.31, 0, 0, 1, 0))),
    (lambda x, a: shear_x(x, a), -0.96, lambda im: affine(im, (1, -0.96, 0, 0, 1, 0))),
    (lambda x, a: shear_y(x, a), 0.57, lambda im: affine(im, (1, 0, 0, 0.57, 1, 0))),
    (lambda x, a: rotate(x, a), 27.0, lambda im: im.rotate(27, Image.Resampling.BILINEAR)),
    (lambda x, a: rotate(x, a), -117.0, lambda im: im.rotate(-117, Image.Resampling.BILINEAR)),
    (lambda x, a: translate(x, a.long(), 0 * a.long()), 5.0, lambda im: affine(im, SHIFT)),
]
SHIFT = (1, 0, -5, 0, 1, 0)


@pytest.mark.parametrize(("ours", "amount", "theirs"), GEOMETRY)
def test_geometric_operations_equal_pillow(ours, amount, theirs):
    image = picture()
    want = np.asarray(theirs(Image.fromarray(image))).astype(int)
    got = (ours(as_batch(image), torch.tensor([amount]))[0] * 255).permute(1, 2, 0).numpy()
    assert np.abs(got - want).max() <= 1.01


def test_borders_of_events_fade_into_the_zeros_outside():
    x = torch.ones(1, 2, 8, 8)
    amount = torch.tensor([0.3])
    assert set(shear_x(x, amount).unique().tolist()) == {0, 1}
    faded = shear_x(x, amount, fade=True)
    assert ((faded > 0.01) & (faded < 0.99)).any()


ONE_HOT = torch.eye(4)[torch.arange(16) % 4]
ZERO = torch.zeros(3)


@pytest.mark.parametrize(
    "settings",
    [
        Augmentation(crop=4, flip=True, cutout=8),
        Augmentation(flip=True, trivial_wide=True, erase=0.5, mixup=0.2, cutmix=1.0),
        Augmentation(rand_augment=True),
        Augmentation(roll=5, rotate=15.0, event_wide=True),
        Augmentation(mixup=1.0),
        Augmentation(cutmix=1.0),
    ],
)
def test_augmentation_keeps_shape_range_and_probability_and_follows_the_seed(settings):
    x = torch.rand(16, 3, 16, 16)
    torch.manual_seed(3)
    got, targets = augment(settings, x, ONE_HOT, ZERO)
    assert got.shape == x.shape
    assert not torch.equal(got, x)
    assert float(got.min()) >= -1e-6
    assert float(got.max()) <= 1 + 1e-6
    assert torch.allclose(targets.sum(1), torch.ones(16))
    torch.manual_seed(3)
    again, same_targets = augment(settings, x, ONE_HOT, ZERO)
    assert torch.equal(got, again)
    assert torch.equal(targets, same_targets)


def test_no_augmentation_changes_nothing():
    x = torch.rand(16, 3, 16, 16)
    got, targets = augment(Augmentation(), x, ONE_HOT, ZERO)
    assert torch.equal(got, x)
    assert torch.equal(targets, ONE_HOT)


def test_all_frames_of_a_recording_are_changed_alike():
    frame = torch.rand(8, 1, 2, 12, 12)
    x = frame.expand(8, 5, 2, 12, 12)
    settings = Augmentation(crop=2, flip=True, roll=3, rotate=10.0, event_wide=True)
    got, _ = augment(settings, x, torch.eye(8), torch.zeros(2))
    assert torch.equal(got, got[:, :1].expand_as(got))
    assert not torch.equal(got, x)


def test_erased_pixels_take_the_fill_value():
    x = torch.full((64, 3, 16, 16), 2.0)
    fill = torch.tensor([0.1, 0.2, 0.3])
    got, _ = augment(Augmentation(erase=1.0), x, torch.eye(64), fill)
    erased = got[:, 0] != 2.0
    assert 0.02 <= erased.float().mean() <= 0.33
    assert bool(erased.any((1, 2)).all())
    assert torch.equal(got[:, 2][erased], torch.full((int(erased.sum()),), 0.3))


def test_cutmix_targets_follow_the_area():
    x = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 20, 20)
    got, targets = augment(Augmentation(cutmix=1.0), x, torch.eye(8), torch.zeros(1))
    kept = (got == x).float().mean((1, 2, 3))
    assert torch.allclose(targets.diagonal(), kept, atol=1e-6)


def test_impossible_settings_are_refused():
    for wrong in ({"crop": -1}, {"rotate": math.inf}, {"erase": 1.5}, {"mixup": 1e-9}):
        with pytest.raises(ArlifError, match=f"augmentation {next(iter(wrong))}"):
            Augmentation(**wrong)
    for name in ("trivial_wide", "rand_augment"):
        with pytest.raises(ArlifError, match="made for RGB"):
            load_recipe("digits", {"augmentation": {name: True}})


def test_events_are_shifted_by_whole_pixels_as_often_as_in_the_released_space():
    magnitudes = torch.linspace(-5, 5, 31).tolist()
    want = np.bincount([abs(int(m)) for m in magnitudes], minlength=6) / 31
    x = torch.zeros(31_000, 1, 1, 21)
    x[..., 10] = 1
    bins, sign = torch.arange(31).repeat(1000), torch.randint(2, (31_000,)) * 2 - 1
    column = wide._EVENT[2](x, bins, sign)[:, 0, 0].argmax(1) - 10
    got = np.bincount(column.abs().numpy(), minlength=6) / 31_000
    assert np.array_equal(got, want)
    assert abs(column.float().mean()) < 0.1


def test_events_are_sheared_about_their_centre_by_an_angle():
    x = torch.zeros(1, 2, 9, 9)
    x[..., 4] = 1.0
    largest, none = torch.tensor([30]), torch.tensor([15])
    shear = wide._EVENT[1](x, largest, torch.ones(1, dtype=int))
    assert torch.equal(shear[..., 4, :], x[..., 4, :])
    torch.testing.assert_close(shear, shear.flip(-1, -2))
    centre = (shear * torch.arange(9)).sum(-1) / shear.sum(-1)
    torch.testing.assert_close(centre[0, 0, 0], 4 + 4 * torch.tensor(0.3).tan())
    torch.testing.assert_close(wide._EVENT[1](x, none, torch.ones(1, dtype=int)), x)


def test_rand_augment_takes_two_operations_of_one_strength():
    bins, sign = torch.tensor([wide.RAND_BIN]), torch.tensor([1])
    x = as_batch(picture())
    spaces = {n: operation(x, bins, sign) for n, operation in enumerate(wide._RAND)}
    assert torch.equal(spaces[3][..., 4:], x[..., :-4])  # int(0.3 * 150 / 331 * 32)
    assert torch.allclose(spaces[5], rotate(x, torch.tensor([9.0])))
    assert torch.allclose(spaces[6], brightness(x, torch.tensor([1.27])))
    assert torch.equal(spaces[10], posterize(x, torch.tensor([7])))
    assert torch.allclose(spaces[11], solarize(x, torch.tensor([178.5 / 255])))
    torch.manual_seed(0)
    many = x.expand(4000, -1, -1, -1)
    same = (wide.rand_augment(many) == many).flatten(1).all(1).float().mean()
    assert same == pytest.approx((1 / 14) ** 2, abs=0.006)
