"""The NIR paper's tasks in docs/interop.md are what is measured now."""

import pytest
from support.nir_paper import BEGIN, DIGITS, END, PAPER, section
from support.places import DOCS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.lava,
    pytest.mark.skipif(not PAPER.exists(), reason="the NIR paper's files are not in ../shared"),
    pytest.mark.skipif(not DIGITS.exists(), reason="no N-MNIST recordings in ../shared"),
]


def test_the_papers_tasks_are_what_is_measured_now() -> None:
    page = (DOCS / "interop.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == section()
