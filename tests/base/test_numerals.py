"""Numbers as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.numerals import UNITS, counted, significant


@given(st.floats(-1e14, 1e14))
def test_three_digits_keep_the_magnitude(value: float):
    text = significant(value)
    number, _, unit = text.partition(" ")
    got = float(number.replace(",", "")) * 1000.0 ** UNITS.index(f" {unit}" if unit else "")
    assert got == pytest.approx(value, rel=0.0051, abs=0)
    assert not text.startswith("-0.0 ")


def test_one_thing_is_no_plural():
    texts = [counted(number, "epoch") for number in (0, 1, 2, 1000)]
    assert texts == ["0 epochs", "1 epoch", "2 epochs", "1,000 epochs"]
