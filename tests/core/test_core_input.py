"""Real inputs become raw ones by one rule, whoever asks; samples are found along one axis."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.errors import ArlifError
from arlif.core.network import Input

SCALES = st.one_of(st.sampled_from([1.0, 0.5, 1 / 127, 0.1]), st.floats(1e-6, 1e6))


@given(
    st.lists(st.floats(-1e9, 1e9, width=32), min_size=1, max_size=20),
    SCALES,
    st.sampled_from([-127, -3, 0]),
    st.sampled_from([1, 127]),
)
def test_arrays_and_tensors_are_rounded_alike(
    values: list[float], scale: float, low: int, high: int
) -> None:
    source = Input((len(values),), scale, low, high)
    raw = source.encode(np.array([values]))
    of_tensor = source.nearest(torch.tensor([values], dtype=torch.float64))
    assert raw.dtype == np.int8
    np.testing.assert_array_equal(raw, of_tensor.numpy())
    want = [[min(max(round(value / scale), low), high) for value in values]]
    np.testing.assert_array_equal(raw, want)
    beyond = [not low <= round(value / scale) <= high for value in values]
    assert source.clipped(np.array([values])) == pytest.approx(np.mean(beyond))


def test_ties_go_to_even_and_the_range_is_kept() -> None:
    source = Input((6,), 0.5, -2, 3)
    raw = source.encode(np.array([[0.25, 0.75, -0.25, -0.75, 1.75, -1.25]]))
    np.testing.assert_array_equal(raw, [[0, 2, 0, -2, 3, -2]])


def test_a_tensor_keeps_every_digit() -> None:
    """In float32 the number below half a step would be half a step, and a tie."""
    below = np.nextafter(1.5, 0)
    source = Input((2,), 1.0)
    assert source.encode(torch.tensor([[below, 1.5]], dtype=torch.float64)).tolist() == [[1, 2]]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(ArlifError, match="NaN or infinity"):
        Input((2,), 1.0).encode(np.array([[0.0, wrong]]))


@pytest.mark.parametrize(("static", "shape"), [(True, (5, 2)), (False, (3, 5, 2))])
def test_samples_lie_along_one_axis(static: bool, shape: tuple[int, ...]) -> None:
    source, raw = Input((2,), 1.0, static=static), np.arange(np.prod(shape)).reshape(shape)
    assert shape[source.sample_axis] == 5
    np.testing.assert_array_equal(
        source.part(raw, slice(1, 3)), raw.take([1, 2], axis=source.sample_axis)
    )
