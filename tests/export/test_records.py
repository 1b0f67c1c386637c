"""Records from trees say what files cannot hold."""

from typing import Any

import numpy as np
import pytest

from arlif.base.errors import FormatError
from export.records import value


@pytest.mark.parametrize("hint", [int | None, list[int], dict[str, int], object])
def test_a_field_of_another_type_is_refused(hint: Any) -> None:
    with pytest.raises(FormatError, match=r"x/y is .*give the field one of these types"):
        value(hint, np.int64(3), "x/y")
