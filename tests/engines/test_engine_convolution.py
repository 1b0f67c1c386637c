"""Every linear map evaluates exactly on torch, in whatever arithmetic is chosen for it."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arlif.arithmetic.exact import convolve, convolve_by_product
from arlif.base.errors import ArlifError
from arlif.core.maps import Conv2d, Dense, Interval, LinearMap, SumPool2d
from arlif.kernels import build, depthwise, pools
from hw_sim.engines.integer.channels_last import ChannelsLast
from hw_sim.engines.integer.compiled_map import CompiledMap
from hw_sim.engines.integer.convolution import compile_map
from hw_sim.engines.integer.ways import Ways

CPU = torch.device("cpu")
INTERVALS = ((0, 1), (0, 9), (0, 127), (-127, 127), (0, 2**14))
CHANNELS = (1, 2, 3, 8, 9, 16, 17, 31, 32, 64, 65)


def oracle(linear: LinearMap, x: np.ndarray) -> np.ndarray:
    """The map in int64."""
    return linear(x.astype(np.float64)).astype(np.int64)


def check(linear: LinearMap, shape: tuple[int, ...], interval: Interval, seed: int) -> None:
    """Random, extreme and largest inputs, in the chosen arithmetic."""
    check_evaluation(compile_map(linear, interval, CPU), linear, shape, interval, seed)


def check_evaluation(
    evaluate: CompiledMap, linear: LinearMap, shape: tuple[int, ...], interval: Interval, seed: int
) -> None:
    rng, (low, high) = np.random.default_rng(seed), interval
    inputs = (
        rng.integers(low, high + 1, shape),
        rng.choice([low, 0, high], shape),
        np.full(shape, high),
    )
    for x in inputs:
        got = evaluate(torch.from_numpy(x.astype(np.int32))).numpy()
        np.testing.assert_array_equal(got.astype(np.int64), oracle(linear, x))


@st.composite
def geometries(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    padding = (draw(st.integers(0, 3)), draw(st.integers(0, 3)))
    size = (draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    kernel = tuple(
        draw(st.integers(1, min(5, n + 2 * p))) for n, p in zip(size, padding, strict=True)
    )
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = tuple(
        draw(st.integers(1, 2)) if 2 * (k - 1) + 1 <= n + 2 * p else 1
        for k, n, p in zip(kernel, size, padding, strict=True)
    )
    return {
        "size": size,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation if draw(st.booleans()) else (1, 1),
    }


SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=150, deadline=None)
@given(
    geometries(),
    st.sampled_from(CHANNELS),
    st.sampled_from((1, 2, 8, 17, 32, 40)),
    st.sampled_from((1, 1, 1, 2)),
    st.sampled_from(INTERVALS),
    st.integers(1, 5),
    SEEDS,
)
def test_convolutions_are_exact(geometry, channels, outputs, groups, interval, samples, seed):
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (outputs * groups, channels, *geometry["kernel"]))
    weight[0] = 127
    geometry = geometry | {"groups": groups}
    shape = (samples, channels * groups, *geometry.pop("size"))
    del geometry["kernel"]
    linear = Conv2d(weight.astype(np.int8), **geometry)
    real = torch.tensor(linear.weight, dtype=torch.float64)
    for evaluate in (
        compile_map(linear, interval, CPU),
        lambda x: convolve(x.double(), real, linear),
        lambda x: convolve_by_product(x.double(), real, linear),
    ):
        check_evaluation(evaluate, linear, shape, interval, seed)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from((1, 2, 7, 8, 9, 64, 129, 1000)),
    st.sampled_from((1, 2, 10, 33)),
    st.sampled_from(INTERVALS),
    st.integers(1, 20),
    SEEDS,
)
def test_dense_maps_are_exact(inputs, outputs, interval, samples, seed):
    weight = np.random.default_rng(seed).integers(-127, 128, (outputs, inputs)).astype(np.int8)
    check(Dense(weight), (samples, inputs), interval, seed)


@pytest.mark.parametrize("inputs", [133144, 133145, 140000])
def test_dense_sums_around_the_int32_bound(inputs: int) -> None:
    """127 * 127 * inputs crosses 2**31 between the first two."""
    check(Dense(np.full((2, inputs), 127, np.int8)), (1, inputs), (0, 127), 0)


@settings(max_examples=120, deadline=None)
@given(geometries(), st.sampled_from((1, 3, 16, 33)), st.sampled_from(INTERVALS), SEEDS)
def test_pools_are_exact(geometry, channels, interval, seed):
    pool = SumPool2d(geometry["kernel"], geometry["stride"], geometry["padding"])
    check(pool, (2, channels, *geometry["size"]), interval, seed)
    check(pool, (2, channels, *geometry["size"]), (0, 255 // pool.magnitude((0, 1))), seed)


@pytest.mark.parametrize("high", [63, 64, 127])
def test_pools_around_the_byte_bound(high: int) -> None:
    """4 * 63 = 252 is a byte, 4 * 64 is not."""
    check(SumPool2d((2, 2), (2, 2)), (2, 3, 4, 4), (0, high), 0)
    check(SumPool2d((2, 2), (2, 2)), (2, 3, 4, 4), (-high, 0), 0)


@pytest.mark.parametrize("interval", [(-1, 9), (-127, 0), (0, 255), (0, 256), (0, 300)])
@pytest.mark.parametrize("inputs", [4, 16])
def test_many_outputs_take_inputs_of_any_interval(interval: Interval, inputs: int) -> None:
    """Events have no sign and one byte; so few of them are followed where they can be."""
    rng = np.random.default_rng(0)
    for linear in (
        Dense(rng.integers(-127, 128, (128, inputs))),
        Conv2d(rng.integers(-127, 128, (128, inputs, 1, 1))),
    ):
        for value in interval:
            x = np.zeros((40, inputs, *(1, 1)[: 2 * isinstance(linear, Conv2d)]), int)
            x[0, 0] = value
            got = compile_map(linear, interval, CPU)(torch.from_numpy(x.astype(np.int32)))
            np.testing.assert_array_equal(got.numpy().astype(np.int64), oracle(linear, x))


def test_dense_products_are_exact_where_the_caller_casts() -> None:
    """257 is no number in bfloat16."""
    linear = Dense(np.ones((1, 300), int))
    with torch.autocast("cpu", torch.bfloat16):
        got = compile_map(linear, (0, 2**14), CPU)(torch.full((1, 300), 257))
    assert int(got) == 300 * 257


def test_byte_pools_refuse_other_inputs() -> None:
    if not pools.applies():
        pytest.skip("no C++ compiler here")
    with pytest.raises(ArlifError, match="take uint8"):
        pools.pool(SumPool2d((2, 2), (2, 2)), np.zeros((1, 4, 4, 2), np.int32), 1)


@pytest.mark.parametrize("inputs", [115, 116, 1040, 1041])
def test_sums_around_the_float32_bound(inputs: int) -> None:
    """127 * 127 * 9 inputs crosses 2**24 between the first two, 127 * 127 the last two."""
    kernel = 3 if inputs < 1000 else 1
    weight = np.full((8, inputs, kernel, kernel), 127, np.int8)
    weight[:, 0, 0, 0] = 126
    check(Conv2d(weight), (2, inputs, kernel, kernel), (0, 127), 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_byte_convolutions_of_real_layer_sizes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels, outputs = rng.choice([8, 16, 48, 64, 96, 128, 256], 2)
    height, width = rng.integers(4, 40, 2)
    kernel, stride = int(rng.choice([1, 3, 5])), int(rng.integers(1, 3))
    weight = rng.integers(-127, 128, (outputs, channels, kernel, kernel)).astype(np.int8)
    linear = Conv2d(weight, (stride, stride), (kernel // 2, kernel // 2))
    samples = int(rng.integers(1, max(2, 2**18 // (channels * height * width))))
    check(linear, (samples, channels, height, width), (0, int(rng.choice([1, 9, 127]))), seed)


@pytest.mark.parametrize(
    ("linear", "interval", "kernel"),
    [
        (Conv2d(np.ones((4, 1, 3, 3), np.int8), (2, 2)), (0, 127), Ways),
        (
            Conv2d(np.ones((4, 9, 3, 3), np.int8), dilation=(2, 1)),
            (0, 1),
            Ways,
        ),
        (Dense(np.ones((4, 9), np.int8)), (0, 1), Ways),
        (Conv2d(np.ones((4, 1, 3, 3), np.int8), groups=4), (0, 255), depthwise.Depthwise),
    ],
)
def test_bytes_are_multiplied_by_kernels(linear: Any, interval: Interval, kernel: type) -> None:
    """The fast path must not silently be off."""
    if build.library() is None:
        pytest.skip("no C++ compiler here")
    compiled = compile_map(linear, interval, CPU)
    assert isinstance(compiled, ChannelsLast)
    assert isinstance(compiled.kernel, kernel)
