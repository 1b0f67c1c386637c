"""Linear maps: what each kind knows of itself is what follows from its matrix."""

from dataclasses import replace
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ring import Ring
from support.strategies import convolutions, pools
from support.strategies_neurons import rngs
from support.upsample import Louder, Upsample2d

from arlif.base.errors import NetworkError
from arlif.core.maps import (
    MAPS,
    Conv2d,
    Dense,
    LinearMap,
    Shape,
    SumPool2d,
    as_dense,
    chain_interval,
    chain_magnitude,
    exact_float,
    taps,
)

FRAMES = st.tuples(st.integers(1, 3), st.integers(3, 6), st.integers(3, 6))
INTERVALS = st.tuples(st.integers(-127, 0), st.integers(1, 127))


@st.composite
def dense_maps(draw: st.DrawFn, shape: Shape) -> Dense:
    weight = draw(rngs()).integers(-127, 128, (draw(st.integers(1, 5)), prod(shape)))
    return Dense(weight)


@st.composite
def rings(draw: st.DrawFn, shape: Shape) -> Ring:
    return Ring(draw(rngs()).integers(-127, 128, draw(st.integers(1, shape[-1]))))


@st.composite
def upsamplings(draw: st.DrawFn, shape: Shape) -> Upsample2d:
    return Upsample2d(draw(st.tuples(st.integers(1, 3), st.integers(1, 3))))


OWN = {"Dense": dense_maps, "Conv2d": convolutions, "SumPool2d": pools}
STRANGE = {"Ring": rings, "Upsample2d": upsamplings}
KINDS = OWN | STRANGE

every_kind = pytest.mark.parametrize("kind", KINDS)


def test_every_map_is_tested_here() -> None:
    assert OWN.keys() == MAPS.keys()


def drawn(data: st.DataObject, kind: str) -> tuple[LinearMap, Shape, np.ndarray]:
    """A map of a kind, a shape it fits and its matrix there [outputs, inputs]; no weight is 0."""
    shape = data.draw(FRAMES)
    linear = data.draw(KINDS[kind](shape))
    if linear.stored_weights() is not None:
        linear = replace(linear, weight=np.where(linear.weight, linear.weight, 1))
    units = np.eye(prod(shape)).reshape(-1, *shape)
    return linear, shape, linear(units).reshape(prod(shape), -1).T


@every_kind
@given(data=st.data())
def test_a_map_is_its_matrix(kind: str, data: st.DataObject) -> None:
    """Its shape, its matrix and, where it has one, its convolution."""
    linear, shape, matrix = drawn(data, kind)
    x = data.draw(rngs()).integers(-127, 128, (3, *shape)).astype(np.float64)
    want = (x.reshape(3, -1) @ matrix.T).reshape(3, *linear.output_shape(shape))
    np.testing.assert_array_equal(linear(x), want)
    np.testing.assert_array_equal(as_dense(linear, shape)(x), want.reshape(3, -1))
    np.testing.assert_array_equal(linear.taps(shape).dense(), matrix)
    convolution = linear.convolution(shape)
    assert (convolution is not None) == (kind in ("Conv2d", "SumPool2d"))
    if convolution is not None:
        np.testing.assert_array_equal(convolution(x), want)


@every_kind
@given(data=st.data(), interval=INTERVALS)
def test_bounds_hold_for_the_worst_inputs(kind: str, data: st.DataObject, interval) -> None:
    linear, _, matrix = drawn(data, kind)
    low, high = interval
    worst = np.where(matrix > 0, matrix * high, matrix * low).sum(1).max()
    least = np.where(matrix > 0, matrix * low, matrix * high).sum(1).min()
    found = linear.output_interval(interval)
    assert found[0] <= least <= worst <= found[1]
    if kind == "Dense":
        assert found == (least, worst), "the tightest"
    summed = np.abs(matrix).sum(1).max() * max(-low, high)
    assert summed <= linear.magnitude(interval)
    assert summed <= LinearMap.magnitude(linear, interval)
    if kind == "Dense":
        assert summed == linear.magnitude(interval), "the largest of a row, not of all"


@every_kind
@given(data=st.data())
def test_connections_are_the_entries_of_the_matrix(kind: str, data: st.DataObject) -> None:
    """What a kind counts by itself, and what is counted for a kind that does not."""
    linear, shape, matrix = drawn(data, kind)
    reached = data.draw(rngs()).integers(0, 9, linear.output_shape(shape))
    want = ((matrix != 0).T @ reached.ravel()).reshape(shape)
    np.testing.assert_array_equal(linear.spread(reached, shape), want)
    np.testing.assert_array_equal(LinearMap.spread(linear, reached, shape), want)
    most = (matrix != 0).sum(1).max()
    assert LinearMap.fan_in(linear, shape) == most <= linear.fan_in(shape)


@every_kind
@given(data=st.data())
def test_no_block_of_outputs_reads_more_than_it_says(kind: str, data: st.DataObject) -> None:
    linear, shape, matrix = drawn(data, kind)
    outputs = linear.output_shape(shape)
    block = tuple(data.draw(st.integers(1, n)) for n in outputs)
    read = []
    for corner in product(*(range(0, n, size) for n, size in zip(outputs, block, strict=True))):
        inside = np.zeros(outputs, bool)
        inside[tuple(slice(at, at + size) for at, size in zip(corner, block, strict=True))] = True
        read.append(int(matrix[inside.ravel()].any(0).sum()))
    for found in (linear.reads(block, shape), LinearMap.reads(linear, block, shape)):
        assert max(read) <= prod(found)
        assert all(1 <= size <= n for size, n in zip(found, shape, strict=True))


def test_what_a_block_reads_by_hand() -> None:
    """Three rows of an image of doubled rows lie on two of the image; a ring's ends touch."""
    double, ring = Upsample2d((2, 1)), Ring(np.array([1, 1]))
    assert double.reads((1, 3, 2), (2, 4, 5)) == (1, 2, 2)
    assert double.reads((2, 2, 5), (2, 4, 5)) == (2, 2, 5)
    assert double.reads((2, 1, 1), (2, 4, 5)) == (2, 1, 1)
    assert ring.reads((1, 1, 1), (2, 4, 5)) == (1, 1, 5)
    assert LinearMap.reads(Dense(np.zeros((2, 3), int)), (1,), (3,)) == (1,), "no box is empty"


def test_what_windows_know_of_themselves_is_no_more_than_there_is() -> None:
    """Every window lies inside: 18 inputs at 2 in a group, 6 in a window of 2 x 3."""
    linear = Conv2d(np.full((4, 2, 3, 3), 2), (1, 3), dilation=(2, 1), groups=2)
    assert (linear.fan_in((4, 9, 9)), linear.magnitude((-3, 1))) == (18, 108)
    assert linear.output_interval((-3, 1)) == (-108, 36)
    assert linear.reads((1, 2, 2), (4, 9, 9)) == (2, 6, 6)
    assert linear.reads((4, 1, 1), (4, 9, 9)) == (4, 3, 3)
    outputs = linear.output_shape((4, 9, 9))
    reached = np.arange(prod(outputs)).reshape(outputs)
    found = linear.spread(reached, (4, 9, 9))
    np.testing.assert_array_equal(found, LinearMap.spread(linear, reached, (4, 9, 9)))
    of_four = Conv2d(np.ones((8, 2, 1, 1), int), groups=2)
    channels = [of_four.reads((block, 1, 1), (4, 9, 9))[0] for block in range(1, 9)]
    assert channels == [2, 2, 4, 2, 4, 4, 4, 4], "3 outputs may lie in two groups, 2 and 4 do not"
    pool = SumPool2d((2, 3), (4, 1))
    assert (pool.fan_in((1, 9, 9)), pool.magnitude((-3, 1))) == (6, 18)
    assert [pool.output_interval(i) for i in ((-3, 1), (0, 1))] == [(-18, 6), (0, 6)]
    assert pool.reads((1, 2, 2), (1, 9, 9)) == (1, 4, 4)


@given(st.data())
def test_a_convolution_is_its_sum(data: st.DataObject) -> None:
    """torch's convention, in loops: y[o, i, j] = sum of w[o, c, a, b] x[c, s i + d a - p, ...]."""
    shape = data.draw(FRAMES)
    linear = data.draw(convolutions(shape))
    x = data.draw(rngs()).integers(-127, 128, shape)
    (up, left), (sh, sw), (dh, dw) = linear.padding, linear.stride, linear.dilation
    padded = np.pad(x, ((0, 0), (up, up), (left, left)))
    outputs, channels = linear.weight.shape[:2]
    want = np.zeros(linear.output_shape(shape), np.int64)
    for o, i, j in np.ndindex(want.shape):
        first = o // (outputs // linear.groups) * channels
        for c, a, b in np.ndindex(linear.weight.shape[1:]):
            read = padded[first + c, sh * i + dh * a, sw * j + dw * b]
            want[o, i, j] += int(linear.weight[o, c, a, b]) * read
    np.testing.assert_array_equal(linear(x[None].astype(np.float64))[0], want)


def test_the_narrowest_float_holds_sums_below_2_to_the_24() -> None:
    assert exact_float(2**24 - 1) is np.float32
    assert exact_float(2**24) is np.float64


def test_a_matrix_is_found_for_every_shape_and_in_every_batch() -> None:
    """One map on two shapes; more unit vectors than are evaluated at a time."""
    linear = Upsample2d((1, 1))
    for shape in ((1, 2, 3), (1, 17, 16), (2, 1, 3)):
        np.testing.assert_array_equal(linear.taps(shape).dense(), np.eye(prod(shape)))


def test_the_magnitude_of_a_chain_is_its_largest_anywhere() -> None:
    """Of inputs, and of the first, middle and last map."""
    near, far = Dense(np.array([[1]])), Dense(np.array([[100, -100]]))
    none = Dense(np.array([[0, 0]]))
    assert chain_magnitude((), (-127, 3)) == 127
    assert chain_magnitude((none,), (-127, 3)) == 127
    assert chain_magnitude((far,), (0, 3)) == 600
    assert chain_magnitude((far, near), (0, 3)) == 600
    assert chain_magnitude((Dense(np.eye(2, dtype=int)), far, near), (0, 3)) == 600
    assert chain_magnitude((far, Dense(np.array([[7]]))), (0, 3)) == 2100
    assert chain_interval((far, near), (0, 3)) == (-300, 300)


class Below(Louder):
    """-128 times that."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return -super().__call__(x)


def test_a_matrix_with_more_than_8_bits_is_refused() -> None:
    loud = Louder((1, 2))
    with pytest.raises(NetworkError, match=r"at most 127; a Louder .* reach 128: give it smaller"):
        as_dense(loud, (1, 2, 3))
    assert loud.taps((1, 2, 3)).dense().max() == 128
    with pytest.raises(NetworkError, match=r"a Below .* reach 128: give it smaller"):
        as_dense(Below((1, 2)), (1, 2, 3))


def test_a_matrix_that_is_too_large_is_refused_before_it_is_made() -> None:
    with pytest.raises(NetworkError, match=r"is a matrix of 4194304 x 1048576 weights.*smaller"):
        as_dense(Upsample2d((2, 2)), (1, 1024, 1024))


def test_a_map_must_answer_what_does_not_follow() -> None:
    class Silent(LinearMap):
        def output_shape(self, shape: Shape) -> Shape:
            return shape

    with pytest.raises(TypeError, match="__call__"):
        Silent()


def test_maps_are_equal_whatever_was_asked_of_them() -> None:
    for make in (lambda: Upsample2d((2, 1)), lambda: Conv2d(np.ones((1, 1, 2, 2), int))):
        asked, fresh = make(), make()
        asked.taps((1, 3, 3))
        assert asked == fresh
    assert hash(SumPool2d((1, 1), (1, 1))) == hash(SumPool2d((1, 1), (1, 1)))


def test_a_matrix_with_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taps, "MOST", 24)
    Upsample2d((2, 2)).taps((1, 2, 3))
    with pytest.raises(NetworkError, match=r"of a Upsample2d on .* \(1, 2, 4\) has more than 24"):
        Upsample2d((2, 2)).taps((1, 2, 4))
