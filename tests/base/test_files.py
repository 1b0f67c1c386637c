"""What is written as JSON, and what is not."""

import pytest

from arlif.base.errors import ArlifError
from arlif.base.files import json_text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_are_told(number: float):
    with pytest.raises(ArlifError, match="infinite or none"):
        json_text({"a": [1.0, number]})


def test_other_errors_of_json_are_not_called_numbers():
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(ValueError, match="Circular") as found:
        json_text(ring)
    assert not isinstance(found.value, ArlifError)
