"""Event-driven connections give what products give, at any density."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.byte_convolutions import DENSITIES, inputs, oracle
from support.strategies_neurons import rngs

from arlif.core.maps import Conv2d, Dense
from arlif.kernels import build
from hw_sim.engines.integer.convolution import compile_map
from hw_sim.engines.integer.event_driven import BREAK_EVEN, OUTPUTS

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")

CPU = torch.device("cpu")


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([(2, 6, 6), (9, 5, 7), (64, 4, 4)]),
    st.sampled_from([OUTPUTS - 1, OUTPUTS, 130]),
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


def test_what_is_sparse_follows_events():
    """The result has the type of its path: int32 from events, int16 from products that fit it."""
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (OUTPUTS, 16, 3, 3)).astype(np.int8)
    evaluate = compile_map(Conv2d(weight, padding=(1, 1)), (0, 1), CPU)
    types = [
        evaluate(torch.from_numpy(inputs((8, 16, 20, 20), density, 1, rng))).dtype
        for density in (BREAK_EVEN / 2, BREAK_EVEN * 2)
    ]
    assert types == [torch.int32, torch.int16]
