"""Linear maps on torch, exact to the last integer: types, settings of torch, gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import convolutions, pools
from support.strategies_neurons import rngs

from arlif.arithmetic.exact import (
    apply_map,
    convolve,
    convolve_by_product,
    exact_arithmetic,
    float_type,
    sum_pool,
)
from arlif.core.maps import Conv2d, Dense, LinearMap

SHAPE = (6, 5, 7)


def test_the_narrowest_type_that_holds_every_sum() -> None:
    assert float_type(2**24 - 1) == torch.float32
    assert float_type(2**24) == torch.float64
    assert int(torch.tensor(2**24 - 1, dtype=torch.float32)) == 2**24 - 1


def nnpack_is_on() -> bool:
    was = torch.backends.nnpack.set_flags(True)[0]
    torch.backends.nnpack.set_flags(was)
    return was


def settings_of_torch() -> tuple[object, ...]:
    return (
        torch.get_float32_matmul_precision(),
        torch.is_autocast_enabled("cpu"),
        torch.is_autocast_enabled("cuda"),
        nnpack_is_on(),
    )


def test_products_are_products_whatever_the_caller_allows() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", torch.bfloat16):
            outside = settings_of_torch()
            with exact_arithmetic():
                assert settings_of_torch() == ("highest", False, False, False)
                ones = torch.full((1, 257), 257.0)
                assert (ones @ torch.ones(257, 1)).item() == 257 * 257
            assert settings_of_torch() == outside
        with pytest.raises(KeyError), exact_arithmetic():
            raise KeyError
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def inputs(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-127, 128, (3, *SHAPE)).astype(np.int8)


@given(convolutions(SHAPE), rngs())
def test_convolutions_are_the_maps_own(linear: Conv2d, rng: np.random.Generator) -> None:
    raw = inputs(rng)
    want = linear(raw.astype(np.int64))
    x, weight = torch.from_numpy(raw).double(), torch.tensor(linear.weight).double()
    for convolution in (convolve, convolve_by_product):
        np.testing.assert_array_equal(convolution(x, weight, linear).numpy(), want)


@given(st.one_of(convolutions(SHAPE), pools(SHAPE)), rngs())
def test_any_map_and_its_gradient(linear: LinearMap, rng: np.random.Generator) -> None:
    """The gradient is that of torch's own operation on the same numbers."""
    raw = torch.from_numpy(inputs(rng)).double()
    x, own = raw.clone().requires_grad_(), raw.clone().requires_grad_()
    y = apply_map(linear, x)
    if isinstance(linear, Conv2d):
        want = convolve_by_product(own, torch.tensor(linear.weight).double(), linear)
    else:
        want = sum_pool(own, linear)
    assert torch.equal(y, want)
    gradient = torch.from_numpy(rng.integers(-9, 10, y.shape)).double()
    y.backward(gradient)
    want.backward(gradient)
    assert torch.equal(x.grad, own.grad)


@given(rngs())
def test_the_gradient_of_a_dense_map(rng: np.random.Generator) -> None:
    weight = rng.integers(-127, 128, (4, 210)).astype(np.int8)
    x = torch.from_numpy(inputs(rng)).double().requires_grad_()
    y = apply_map(Dense(weight), x)
    gradient = torch.from_numpy(rng.integers(-9, 10, y.shape)).double()
    y.backward(gradient)
    assert y.shape == (3, 4)
    assert torch.equal(x.grad.flatten(1), gradient @ torch.tensor(weight).double())
