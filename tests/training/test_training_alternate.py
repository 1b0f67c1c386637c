"""The two augmentations of cifar10-fast: mirrored shifts, and flips in every other epoch."""

import numpy as np
import pytest
import torch

from arlif.base.errors import ArlifError
from arlif.training.augment import Augmentation, alternated, augment

FILL = torch.zeros(1)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_shift_reads_an_image_that_is_mirrored_at_its_border(size):
    torch.manual_seed(0)
    image = torch.rand(1, 1, size, 6)
    n, largest = 60, 2
    got, _ = augment(Augmentation(shift=largest), image.expand(n, -1, -1, -1), torch.eye(n), FILL)
    mirrored = np.pad(image[0, 0].numpy(), largest, mode="reflect")
    places = [(row, column) for row in range(5) for column in range(5)]
    want = {mirrored[r : r + size, c : c + 6].tobytes() for r, c in places}
    found = {shown[0].numpy().tobytes() for shown in got}
    assert found <= want
    assert len(found) > len(want) // 2


def test_every_sample_is_flipped_in_every_other_epoch_and_half_of_them_at_a_time():
    raw = np.random.default_rng(0).integers(0, 256, (200, 3, 4, 4)).astype(np.uint8)
    raw = torch.from_numpy(raw)
    x = raw / 255
    first, second, third = (alternated(x, raw, epoch) for epoch in range(3))
    flipped = [not torch.equal(a, b) for a, b in zip(first, x, strict=True)]
    assert 70 < sum(flipped) < 130
    for one, two, plain, was in zip(first, second, x, flipped, strict=True):
        assert torch.equal(one, plain.flip(-1) if was else plain)
        assert torch.equal(two, plain if was else plain.flip(-1))
    assert torch.equal(first, third)


def test_two_kinds_of_flips_are_refused():
    with pytest.raises(ArlifError, match="leave one out"):
        Augmentation(flip=True, alternate=True)
    with pytest.raises(ArlifError, match=r"shift lies in \[0, 1024\], not -1"):
        Augmentation(shift=-1)
