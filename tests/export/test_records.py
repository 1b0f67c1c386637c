"""Records from trees say what files cannot hold."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from arlif.base.errors import FormatError
from export.records import value


def test_values_are_of_the_type_that_a_field_has() -> None:
    assert value(float, np.float32(0.5), "x") == 0.5
    assert value(tuple[int, int], np.array([1, 2]), "x") == (1, 2)
    byte = NDArray[np.int8]
    assert value(byte, np.array([1], np.int8), "x").dtype == np.int8
    wrong = [
        (float, np.int64(1)),
        (int, np.bool_(True)),
        (bool, np.int64(1)),
        (int, np.array([1])),
        (tuple[int, int], np.array([[1, 2]])),
        (byte, np.array([1], np.int16)),
        (byte, np.array([1], np.uint8)),
    ]
    for hint, raw in wrong:
        with pytest.raises(FormatError, match=r"^x must"):
            value(hint, raw, "x")


@pytest.mark.parametrize("hint", [int | None, list[int], dict[str, int], object])
def test_a_field_of_another_type_is_refused(hint: Any) -> None:
    with pytest.raises(FormatError, match=r"x/y is .*give the field one of these types"):
        value(hint, np.int64(3), "x/y")
