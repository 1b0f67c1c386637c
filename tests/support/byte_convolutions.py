"""The kernels of convolutions of bytes against torch in float64."""

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from arlif.core.maps import Conv2d
from arlif.kernels import byte_products, depthwise, events, spike_tables
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
    geometry = (linear.stride, linear.padding, linear.dilation, linear.groups)
    return functional.conv2d(images, weight, None, *geometry).movedim(1, -1).numpy()


def check_sums(evaluate: Any, linear: Conv2d, x: np.ndarray, rng: np.random.Generator) -> None:
    """New sums are torch's; added ones too, beside what was there, in each type that holds them."""
    want, threads = oracle(linear, x).astype(np.int64), int(rng.integers(1, 3))
    np.testing.assert_array_equal(evaluate(x, threads), want)
    for kind in {evaluate.type, np.int32}:
        scale, most = int(rng.integers(0, 9)), 1 << (20 if kind is np.int32 else 15)
        there = rng.integers(-most, most, want.shape).astype(kind)
        sums = there.copy()
        evaluate.add(x, threads, sums, scale)  # those of 16 bits wrap, as numpy's do
        np.testing.assert_array_equal(sums, (there + scale * want).astype(kind))
        evaluate.put(x, threads, sums)
        np.testing.assert_array_equal(sums, want)


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
    check_sums(events.EventConvolution(linear, (0, highest)), linear, x, rng)
    assert events.count(x) == int(x.sum(dtype=np.int64))


@settings(max_examples=150, deadline=None)
@given(
    st.data(),
    st.sampled_from([(1, 1, 1), (2, 9, 7), (3, 5, 5), (8, 6, 6), (13, 4, 9), (300, 3, 3)]),
    st.sampled_from([1, 7, 8, 15, 16, 17, 32, 33, 64, 70]),
    st.sampled_from(["any", "highest", "lowest", "small"]),
    st.sampled_from([1, 4, 127]),
    st.sampled_from([1, 2, 5, 14]),
    rngs(),
)
def check_byte_products(data, shape, outputs, weights, highest, frames, rng):
    """Products of bytes equal torch's, sums that leave 16 bits on the way too."""
    drawn = data.draw(convolutions(shape).filter(lambda linear: linear.groups == 1))
    size, low, high = (outputs, *drawn.weight.shape[1:]), -127, 127
    bounds = {"any": (low, high), "highest": (high, high), "lowest": (low, low), "small": (-3, 3)}
    weight = rng.integers(*bounds[weights], size, endpoint=True).astype(np.int8)
    linear = Conv2d(weight, drawn.stride, drawn.padding, drawn.dilation)
    assert byte_products.applies(linear, (0, highest))
    x = rng.integers(0, highest, (frames, *shape[1:], shape[0]), endpoint=True).astype(np.uint8)
    x[0] = highest
    check_sums(byte_products.ByteProducts(linear, (0, highest)), linear, x, rng)


@settings(max_examples=150, deadline=None)
@given(
    st.data(),
    st.sampled_from([(4, 1, 1), (4, 9, 7), (8, 5, 5), (16, 6, 6), (52, 4, 9), (300, 3, 3)]),
    st.sampled_from([1, 15, 16, 17, 33, 48, 63, 70, 130]),
    st.sampled_from(["any", "highest", "lowest", "small"]),
    st.sampled_from([1, 2, 5, 40]),
    st.sampled_from([1, 4]),
    st.sampled_from(DENSITIES),
    rngs(),
)
def check_spike_tables(data, shape, outputs, weights, frames, highest, density, rng):
    """Rows of tables equal torch's sums, those that leave 16 bits on the way too."""
    drawn = data.draw(convolutions(shape).filter(lambda linear: linear.groups == 1))
    size, low, high = (outputs, *drawn.weight.shape[1:]), -127, 127
    bounds = {"any": (low, high), "highest": (high, high), "lowest": (low, low), "small": (-3, 3)}
    weight = rng.integers(*bounds[weights], size, endpoint=True).astype(np.int8)
    linear = Conv2d(weight, drawn.stride, drawn.padding, drawn.dilation)
    assert spike_tables.applies(linear, (0, highest))
    x = inputs((frames, *shape[1:], shape[0]), density, highest, rng)
    x[0] = highest
    check_sums(spike_tables.SpikeTables(linear, (0, highest)), linear, x, rng)


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.sampled_from([(1, 1, 1), (2, 9, 7), (17, 5, 5), (64, 4, 3)]),
    st.sampled_from([1, 255]),
    rngs(),
)
def check_depthwise(data, shape, highest, rng):
    """Each channel by itself equals torch's grouped convolution."""
    drawn = data.draw(convolutions(shape))
    weight = rng.integers(-127, 128, (shape[0], 1, *drawn.weight.shape[2:])).astype(np.int8)
    linear = Conv2d(weight, drawn.stride, drawn.padding, drawn.dilation, shape[0])
    assert depthwise.applies(linear, (0, highest))
    x = rng.integers(0, highest, (3, *shape[1:], shape[0]), endpoint=True).astype(np.uint8)
    check_sums(depthwise.Depthwise(linear, (0, highest)), linear, x, rng)


def check_every_kernel() -> None:
    """All convolutions of bytes; run it, it draws its own cases."""
    check_convolutions_by_events()
    check_byte_products()
    check_spike_tables()
    check_depthwise()
