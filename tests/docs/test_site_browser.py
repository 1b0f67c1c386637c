"""What looks at the site in a browser sees every kind of fault, and none where site.css helps."""

import shutil
from pathlib import Path

import pytest
from scripts.site_in_browser import looked_at
from support.browser import CHROMIUM
from support.places import DOCS

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
]
WIDE = "x" * 400
BOXES = (
    f"<pre><code>{WIDE}</code></pre>"
    f'<div class="md-typeset__scrollwrap"><div class="md-typeset__table">'
    f"<table><tr><td><code>{WIDE}</code></td></tr></table></div></div>"
    '<div class="jupyter-wrapper"><div class="jp-OutputArea-child">'
    f'<div class="jp-OutputArea-output"><pre>{WIDE}</pre><img width="2000" height="20">'
    "</div></div></div>"
)
FAULTS = {
    "past": '<figure style="width: 1400px">wide</figure>',
    "silent": f'<div style="overflow-x: auto">{WIDE}</div>',
    "cut": f'<div style="overflow: hidden">{WIDE}</div>',
    "link": '<a href="nowhere.html">nowhere</a>',
    "script": "<script>missing()</script>",
}


def test_every_fault_is_named_and_boxes_that_say_so_are_none(tmp_path: Path) -> None:
    shutil.copy(DOCS / "site.css", tmp_path)
    head = (
        '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="site.css">'
        "<style>pre > code { display: block; }</style>"  # as mkdocs-material has it
    )
    for name, body in {"good": BOXES, **FAULTS}.items():
        page = f'{head}<article class="md-typeset"><p>{name}</p>{body}</article>'
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    found = looked_at(tmp_path)
    assert not [line for line in found if "good.html" in line]
    for width in (390, 1280):
        at = f"at {width} px"
        assert f"past.html {at} the page scrolls sideways" in found
        assert f"past.html {at} runs past the edge: FIGURE.: wide" in found
        assert any(f"silent.html {at} does not say that it scrolls" in line for line in found)
        assert any(f"cut.html {at} is cut off" in line for line in found)
    assert "link.html links to nowhere.html, which is not there" in found
    assert any("missing is not defined" in line for line in found)
    kinds = ("past", "silent", "cut", "link", "console")
    assert all(line.startswith(kinds) for line in found)
