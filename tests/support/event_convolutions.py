"""Convolutions by events against torch in float64."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from arlif.core.maps import Conv2d
from arlif.kernels import events
from support.strategies import convolutions
from support.strategies_neurons import rngs

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
def check_convolutions_by_events(data, shape, outputs, density, highest, rng):
    """Convolutions of any shape and density equal torch's; run it, it draws its own cases."""
    drawn = data.draw(convolutions(shape).filter(events.applies))
    weight = rng.integers(-127, 128, (outputs, *drawn.weight.shape[1:])).astype(np.int8)
    weight[0] = rng.choice([-127, 127])
    linear = Conv2d(weight, drawn.stride, drawn.padding)
    x = inputs((3, *shape[1:], shape[0]), density, highest, rng)
    got = events.EventConvolution(linear)(x, int(rng.integers(1, 3)))
    np.testing.assert_array_equal(got, oracle(linear, x))
    assert events.count(x) == int(x.sum(dtype=np.int64))
