"""The Python on a page of documentation, to be run as it stands."""

import re
from typing import Any

from support.places import DOCS


def run_blocks(page: str, scope: dict[str, Any]) -> None:
    """Run the page's python blocks in order in one scope, the names that the reader already has."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks, f"{page} has no python block"
    for block in blocks:
        exec(compile(block, page, "exec"), scope)
