"""Event-driven connections give what products give, at any density."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.strategies import convolutions, rngs
from torch.nn import functional

from arlif.base.errors import ArlifError
from arlif.core.maps import Conv2d, Dense
from arlif.kernels import build, events
from hw_sim.engines.integer.convolution import compile_map
from hw_sim.engines.integer.event_driven import BREAK_EVEN, OUTPUTS

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")

CPU = torch.device("cpu")
DENSITIES = (0.0, 0.005, 0.1, 0.7, 1.0)


def inputs(shape: tuple[int, ...], density: float, highest: int, rng) -> np.ndarray:
    """Random uint8 in 0 to `highest`, of which `density` are not 0."""
    values = rng.integers(1, highest, shape, endpoint=True)
    return (values * (rng.random(shape) < density)).astype(np.uint8)


def oracle(linear: Conv2d, x: np.ndarray) -> np.ndarray:
    """torch in float64, channels last."""
    images = torch.from_numpy(x).double().movedim(-1, 1)
    weight = torch.tensor(linear.weight, dtype=torch.float64)
    sums = functional.conv2d(images, weight, None, linear.stride, linear.padding)
    return sums.movedim(1, -1).numpy()


@settings(max_examples=150, deadline=None)
@given(
    st.data(),
    st.sampled_from([(1, 1, 1), (2, 9, 7), (3, 5, 5), (8, 6, 6), (13, 4, 9), (70, 5, 3)]),
    st.sampled_from([1, 31, 33, 64, 100, 129, 300]),
    st.sampled_from(DENSITIES),
    st.sampled_from([1, 4, 255]),
    rngs(),
)
def test_convolutions_by_events_are_exact(data, shape, outputs, density, highest, rng):
    drawn = data.draw(convolutions(shape).filter(events.applies))
    weight = rng.integers(-127, 128, (outputs, *drawn.weight.shape[1:])).astype(np.int8)
    weight[0] = rng.choice([-127, 127])
    linear = Conv2d(weight, drawn.stride, drawn.padding)
    x = inputs((3, *shape[1:], shape[0]), density, highest, rng)
    got = events.EventConvolution(linear)(x, int(rng.integers(1, 3)))
    np.testing.assert_array_equal(got, oracle(linear, x))
    assert events.count(x) == int(x.sum(dtype=np.int64))


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
    """The result has the type of its path: int32 from events, float32 from byte products."""
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (OUTPUTS, 16, 3, 3)).astype(np.int8)
    evaluate = compile_map(Conv2d(weight, padding=(1, 1)), (0, 1), CPU)
    types = [
        evaluate(torch.from_numpy(inputs((8, 16, 20, 20), density, 1, rng))).dtype
        for density in (BREAK_EVEN / 2, BREAK_EVEN * 2)
    ]
    assert types == [torch.int32, torch.float32]


def test_a_misfit_is_refused():
    evaluate = events.EventConvolution(Conv2d(np.ones((64, 3, 1, 1), np.int8)))
    with pytest.raises(ArlifError, match="take uint8"):
        evaluate(np.zeros((1, 4, 4, 2), np.uint8), 1)
    with pytest.raises(ArlifError, match="take uint8"):
        evaluate(np.zeros((1, 4, 4, 3), np.int8), 1)
