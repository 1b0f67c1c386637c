"""One cutter for samples and time steps: it leaves nothing out and repeats nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.cut import cut
from arlif.base.errors import ArlifError


@given(st.integers(0, 50), st.integers(1, 60), st.integers(0, 50))
def test_parts_cover_everything_once_and_in_order(stop: int, size: int, start: int) -> None:
    parts = list(cut(stop, size, start))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(start, stop))
    sizes = [part.stop - part.start for part in parts]
    assert all(here == size for here in sizes[:-1])
    assert all(1 <= here <= size for here in sizes)


def test_parts_cut_along_any_axis() -> None:
    frames = np.arange(24).reshape(2, 6, 2)
    parts = [frames[:, part] for part in cut(6, 4)]
    assert [part.shape for part in parts] == [(2, 4, 2), (2, 2, 2)]
    np.testing.assert_array_equal(np.concatenate(parts, 1), frames)


@pytest.mark.parametrize("size", [0, -1])
def test_a_part_of_nothing_is_refused(size: int) -> None:
    with pytest.raises(ArlifError, match=f"at least 1, not {size}"):
        cut(3, size)
