"""The kernels of convolutions of bytes give torch's sums, and refuse what does not fit."""

from typing import Any

import numpy as np
import pytest
from support.byte_convolutions import (
    check_byte_products,
    check_convolutions_by_events,
    check_depthwise,
    check_spike_tables,
    inputs,
    oracle,
)

from arlif.base.errors import ArlifError
from arlif.core.maps import Conv2d
from arlif.kernels import build, byte_products, depthwise, events, spike_tables

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")

DENSE, ALONE = (
    Conv2d(np.ones((64, 3, 1, 1), np.int8)),
    Conv2d(np.ones((3, 1, 1, 1), np.int8), groups=3),
)
KERNELS = {
    "events": events.EventConvolution(DENSE, (0, 255)),
    "products": byte_products.ByteProducts(DENSE, (0, 1)),
    "depthwise": depthwise.Depthwise(ALONE, (0, 255)),
}


def test_convolutions_by_events_are_exact():
    check_convolutions_by_events()


def test_products_of_bytes_are_exact():
    check_byte_products()


def test_rows_of_tables_are_exact():
    check_spike_tables()


def test_channels_by_themselves_are_exact():
    check_depthwise()


@pytest.mark.parametrize("inputs", [128, 129, 257, 258, 259, 516, 517, 4096])
@pytest.mark.parametrize("weight", [-127, 127])
def test_products_are_put_away_before_they_leave_16_bits(inputs: int, weight: int) -> None:
    """258 weights of 127 fit 16 bits, 259 do not."""
    linear = Conv2d(np.full((9, inputs, 1, 1), weight, np.int8))
    for highest in (1, 127):
        x = np.full((2, 1, 1, inputs), highest, np.uint8)
        got = byte_products.ByteProducts(linear, (0, highest))(x, 1)
        np.testing.assert_array_equal(got, oracle(linear, x))


@pytest.mark.parametrize("channels", [256, 260, 264, 512, 516, 520, 1024])
@pytest.mark.parametrize("weight", [-127, 127])
def test_rows_are_put_away_before_they_leave_16_bits(channels: int, weight: int) -> None:
    """258 weights of 127 fit 16 bits, 259 do not; the same four times as soon."""
    for highest, count in (1, channels), (4, channels // 8 * 2):
        linear = Conv2d(np.full((9, count, 1, 1), weight, np.int8))
        x = np.full((2, 3, 3, count), highest, np.uint8)
        got = spike_tables.SpikeTables(linear, (0, highest))(x, 1)
        np.testing.assert_array_equal(got, oracle(linear, x))


@pytest.mark.parametrize("pixels", [1, 511, 2047, 2048, 2049])
def test_any_number_of_pixels_shares_tables(pixels: int) -> None:
    rng = np.random.default_rng(pixels)
    linear = Conv2d(rng.integers(-127, 128, (70, 8, 1, 1)).astype(np.int8))
    x = inputs((1, 1, pixels, 8), 0.3, 1, rng)
    for threads in (1, 2):
        got = spike_tables.SpikeTables(linear, (0, 1))(x, threads)
        np.testing.assert_array_equal(got, oracle(linear, x))


@pytest.mark.parametrize(
    ("interval", "linear", "fits"),
    [
        ((0, 1), Conv2d(np.ones((1, 4, 1, 1), np.int8)), True),
        ((0, 1), Conv2d(np.ones((1, 5, 1, 1), np.int8)), False),
        ((0, 1), Conv2d(np.ones((1, 2, 1, 1), np.int8)), True),
        ((0, 4), Conv2d(np.ones((1, 2, 1, 1), np.int8)), True),
        ((0, 4), Conv2d(np.ones((1, 3, 1, 1), np.int8)), False),
        ((0, 5), Conv2d(np.ones((1, 4, 1, 1), np.int8)), False),
        ((-1, 1), Conv2d(np.ones((1, 4, 1, 1), np.int8)), False),
        ((0, 1), Conv2d(np.ones((2, 4, 1, 1), np.int8), groups=2), False),
    ],
)
def test_tables_are_for_fours_of_spikes_and_pairs_of_four_added_up(interval, linear, fits) -> None:
    assert spike_tables.applies(linear, interval) == fits


@pytest.mark.parametrize(
    ("interval", "linear", "fits"),
    [
        ((0, 127), DENSE, True),
        ((3, 5), DENSE, True),
        ((0, 128), DENSE, False),
        ((-1, 1), DENSE, False),
        ((0, 1), ALONE, False),
        ((0, 127), Conv2d(np.full((1, 133144, 1, 1), 127, np.int8)), True),
        ((0, 127), Conv2d(np.full((1, 133145, 1, 1), 127, np.int8)), False),
    ],
)
def test_products_are_taken_where_bytes_and_sums_of_32_bits_hold(interval, linear, fits) -> None:
    assert byte_products.applies(linear, interval) == fits


@pytest.mark.parametrize(
    ("interval", "linear", "fits"),
    [
        ((0, 255), ALONE, True),
        ((0, 256), ALONE, False),
        ((-1, 1), ALONE, False),
        ((0, 1), DENSE, False),
        ((0, 1), Conv2d(np.ones((6, 1, 1, 1), np.int8), groups=3), False),
        ((0, 1), Conv2d(np.ones((3, 2, 1, 1), np.int8), groups=3), False),
    ],
)
def test_channels_by_themselves_are_known_by_their_groups(interval, linear, fits) -> None:
    assert depthwise.applies(linear, interval) == fits


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_misfit_is_refused(kernel: Any) -> None:
    x = np.zeros((1, 4, 4, 3), np.uint8)
    for wrong in (x[..., :2], x.astype(np.int8), x[0]):
        with pytest.raises(ArlifError, match="take uint8"):
            kernel(wrong, 1)
    sums = kernel(x, 1).astype(np.int32)
    for wrong in (sums[:, :3], sums.astype(np.int64), np.asfortranarray(sums)):
        with pytest.raises(ArlifError, match="go to contiguous int16 or int32"):
            kernel.add(x, 1, wrong, 1)
        with pytest.raises(ArlifError, match="go to contiguous int16 or int32"):
            kernel.put(x, 1, wrong)
