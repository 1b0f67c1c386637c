"""The table in docs/interop.md is what is measured now."""

from support.interop_page import PAGE, page, rows


def test_the_page_is_what_is_measured_now() -> None:
    assert page(rows()) == PAGE.read_text(encoding="utf-8")
