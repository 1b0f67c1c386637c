"""A chain merged into one map equals the chain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import chains
from support.strategies_neurons import rngs

from arlif.core.maps import Conv2d, Dense, SumPool2d, apply_chain
from export.lava.merge import single_map

SHAPES = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(3, 7), st.integers(3, 7)),
    st.tuples(st.integers(1, 6)),
)


@given(st.data(), SHAPES, rngs())
def test_a_merged_chain_equals_the_chain(data, shape, rng):
    maps = data.draw(chains(shape))
    merged = single_map(maps, shape)
    if merged is not None:
        x = rng.integers(-127, 128, (3, *shape))
        want, got = (apply_chain(m, x, (-127, 127)) for m in (maps, (merged,)))
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("maps", "shape"),
    [
        ((), (2, 5, 5)),
        ((), (7,)),
        ((SumPool2d((2, 2), (2, 2)),), (3, 6, 6)),
        (
            (SumPool2d((2, 2), (2, 2)), Conv2d(np.ones((4, 3, 3, 3), int), (1, 1), (1, 1))),
            (3, 6, 6),
        ),
        ((SumPool2d((3, 3), (2, 2), (1, 1)), Conv2d(np.ones((4, 3, 1, 1), int))), (3, 7, 7)),
        ((Conv2d(np.ones((4, 3, 3, 3), int)), SumPool2d((2, 2), (2, 2))), (3, 6, 6)),
        ((SumPool2d((2, 2), (2, 2)), Dense(np.ones((5, 27), int))), (3, 6, 6)),
    ],
)
def test_the_chains_of_ordinary_networks_merge(maps, shape):
    assert single_map(maps, shape) is not None


WIDE = Conv2d(np.arange(1, 13).reshape(2, 1, 2, 3), (1, 2), (1, 0), (2, 1))


@pytest.mark.parametrize(
    ("maps", "shape"),
    [
        ((SumPool2d((2, 3), (2, 3)), WIDE), (1, 8, 15)),
        ((WIDE, SumPool2d((2, 1), (1, 3))), (1, 7, 15)),
        ((SumPool2d((2, 1), (2, 1)), SumPool2d((1, 3), (1, 2))), (2, 6, 9)),
    ],
)
def test_rows_and_columns_of_a_merged_chain_are_not_confused(maps, shape):
    merged = single_map(maps, shape)
    assert merged is not None
    x = np.random.default_rng(0).integers(-9, 10, (3, *shape))
    want, got = (apply_chain(m, x, (-9, 9)) for m in (maps, (merged,)))
    np.testing.assert_array_equal(got, want)


def test_a_chain_is_not_merged_where_padding_would_see_the_image():
    """The pool leaves a last row that the convolution's padding would then read."""
    pool, conv = SumPool2d((2, 2), (2, 2)), Conv2d(np.ones((1, 1, 3, 3), int), (1, 1), (1, 1))
    assert single_map((pool, conv), (1, 7, 7)) is None
    assert single_map((pool, conv), (1, 6, 6)) is not None


def test_a_chain_is_not_merged_where_weights_leave_int8():
    pool = SumPool2d((2, 2), (1, 1))
    assert single_map((pool, Conv2d(np.full((1, 1, 2, 2), 127))), (1, 6, 6)) is None
