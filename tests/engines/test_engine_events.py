"""Whichever way a connection takes, events, tables or products, it gives the same sums."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.byte_convolutions import DENSITIES, inputs, oracle
from support.strategies_neurons import rngs

from arlif.core.maps import Conv2d, Dense
from arlif.kernels import build, byte_products
from hw_sim.engines.integer.convolution import compile_map
from hw_sim.engines.integer.ways import INPUTS, PIXELS, Ways, break_even

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")

CPU = torch.device("cpu")


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([(2, 6, 6), (9, 5, 7), (64, 4, 4), (64, 8, 8)]),
    st.sampled_from([127, 128, 130]),
    st.sampled_from(DENSITIES),
    st.sampled_from([1, 9, 127]),
    st.booleans(),
    rngs(),
)
def test_a_connection_gives_the_same_at_every_density(shape, outputs, density, highest, flat, rng):
    x = inputs((4, *shape), density, highest, rng)
    if flat:
        weight = rng.integers(-127, 128, (outputs, int(np.prod(shape)))).astype(np.int8)
        want = x.reshape(4, -1).astype(np.int64) @ weight.T.astype(np.int64)
        got = compile_map(Dense(weight), (0, highest), CPU)(torch.from_numpy(x))
    else:
        weight = rng.integers(-127, 128, (outputs, shape[0], 3, 3)).astype(np.int8)
        linear = Conv2d(weight, padding=(1, 1))
        want = np.moveaxis(oracle(linear, np.moveaxis(x, 1, -1)), -1, 1)
        got = compile_map(linear, (0, highest), CPU)(torch.from_numpy(x))
    np.testing.assert_array_equal(got.numpy(), want)


WIDE = Conv2d(np.ones((128, 64, 3, 3), np.int8), padding=(1, 1))


def taken(linear: Conv2d, x: np.ndarray, highest: int = 1) -> str:
    """The way that frames [N, C, H, W] of values up to `highest` took."""
    ways = Ways.of(linear, (0, highest))
    ways(np.ascontiguousarray(np.moveaxis(x, 1, -1)), 1)
    ((way, frames),) = ways.frames.items()
    assert frames == len(x)
    return way


def test_what_is_sparse_follows_events() -> None:
    rng, limit = np.random.default_rng(0), break_even(WIDE)
    assert 0.05 < limit < 0.5
    assert taken(WIDE, inputs((8, 64, 8, 8), limit / 2, 1, rng)) == "events"
    assert taken(WIDE, inputs((8, 64, 8, 8), limit * 2, 1, rng)) != "events"


def test_tables_are_for_many_pixels_those_of_sums_where_no_instruction_sums_products() -> None:
    for highest, group in (1, 4), (4, 2):
        alone = "tables" if group == 4 or not byte_products.in_32_bits() else "products"
        x = np.full((PIXELS[group] // 64, 64, 8, 8), highest, np.uint8)
        assert taken(WIDE, x, highest) == alone
        assert taken(WIDE, x[:, :, 1:], highest) == "products"


@pytest.mark.parametrize(
    ("shape", "follows"),
    [((128, INPUTS, 1, 1), True), ((128, INPUTS - 1, 1, 1), False), ((16, 16, 3, 3), False)],
)
def test_small_windows_never_follow_events(shape: tuple[int, ...], follows: bool) -> None:
    assert (break_even(Conv2d(np.ones(shape, np.int8))) > 0) == follows
