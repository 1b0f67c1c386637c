"""docs/interop.md says what was measured."""

import re

import pytest
from interop_table import PAGE, page, rows


def test_the_page_has_a_row_for_every_door() -> None:
    text = PAGE.read_text(encoding="utf-8")
    doors = set(re.findall(r"^\| (\w[\w-]*), ", text, re.M))
    assert doors == {"arlif", "lava-dl", "snnTorch", "Norse", "SpikingJelly", "any"}


@pytest.mark.slow
def test_the_page_is_what_is_measured_now() -> None:
    assert page(rows()) == PAGE.read_text(encoding="utf-8")
