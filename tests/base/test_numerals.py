"""Numbers as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.numerals import UNITS, significant


@given(st.floats(-1e14, 1e14))
def test_three_digits_keep_the_magnitude(value: float):
    text = significant(value)
    number, _, unit = text.partition(" ")
    got = float(number.replace(",", "")) * 1000.0 ** UNITS.index(f" {unit}" if unit else "")
    assert got == pytest.approx(value, rel=0.0051, abs=0)
    assert not text.startswith("-0.0 ")
