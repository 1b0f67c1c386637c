"""Convolutions of one pixel that a kernel of oneDNN must not get, and those that it may."""

import pytest
import torch
from torch.nn import functional

from arlif.arithmetic.pointwise import FEW, gathered


def given(channels: int = FEW - 1, kernel: tuple[int, int] = (1, 1), last: bool = True):
    """An input of 5 x 7 pixels and weights; last: with the channels innermost."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, channels, 5, 7, generator=generator)
    weight = torch.rand(4, channels, *kernel, generator=generator)
    return x.contiguous(memory_format=torch.channels_last) if last else x, weight


@pytest.mark.parametrize("stride", [(2, 2), (1, 2), (3, 1)])
@pytest.mark.parametrize("padding", [(0, 0), "valid"])
def test_pixels_are_gathered_and_give_the_same(stride, padding) -> None:
    x, weight = given()
    pixels, steps = gathered(x, weight, stride, padding, 1)
    assert steps == (1, 1)
    want = functional.conv2d(x, weight, None, stride)
    assert pixels.shape[2:] == want.shape[2:]
    assert torch.allclose(functional.conv2d(pixels, weight), want, atol=1e-6)


def test_the_weights_may_ask_for_the_layout() -> None:
    x, weight = given(last=False)
    turned = weight.repeat(1, 1, 1, 2)[..., ::2]
    assert turned.stride(-1) > 1
    assert gathered(x, turned, (2, 2), (0, 0), 1)[1] == (1, 1)


@pytest.mark.parametrize(
    ("made", "stride", "padding", "groups"),
    [
        (given(FEW), (2, 2), (0, 0), 1),
        (given(kernel=(1, 2)), (2, 2), (0, 0), 1),
        (given(last=False), (2, 2), (0, 0), 1),
        (given(), (1, 1), (0, 0), 1),
        (given(), (2, 2), (1, 0), 1),
        (given(), (2, 2), "same", 1),
        (given(), (2, 2), (0, 0), 3),
    ],
    ids=["channels", "kernel", "layout", "stride", "padding", "same", "groups"],
)
def test_every_other_convolution_stays_as_it_is(made, stride, padding, groups) -> None:
    x, weight = made
    same, steps = gathered(x, weight, stride, padding, groups)
    assert same is x
    assert steps == stride
