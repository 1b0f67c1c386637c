"""Every link between pages leads to a file that is there, and to a heading that it has."""

import json
import re
from pathlib import Path

import pytest
import yaml
from support.places import DOCS, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")])


def text_of(page: Path) -> str:
    """A page's Markdown without blocks of code."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links: GitHub and the site agree on these."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.*)$", text_of(page), re.MULTILINE):
        words = re.sub(r"\]\([^)]*\)", "", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        found.add(slug if slug not in found else f"{slug}-1")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_its_links_lead_to_files_and_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text_of(page)):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to #{anchor} of {file.name}"


def entries(nav: object) -> set[str]:
    """The pages that a navigation holds."""
    if isinstance(nav, str):
        return {nav}
    parts = nav.values() if isinstance(nav, dict) else nav
    return set().union(*map(entries, parts))  # type: ignore[call-overload]


def test_the_site_has_every_page() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    here = {path.relative_to(DOCS).as_posix() for path in PAGES if DOCS in path.parents}
    made = {"start.md", "contributing.md", "changelog.md"}
    assert entries(config["nav"]) == here | made


def test_the_table_of_the_demo_and_the_results_agree() -> None:
    """The same command trains what both pages speak of."""
    readme, results = (
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("README.md", "docs/results/training.md")
    )
    found = re.search(r"^\| float \|.*?([\d.]+) % ", readme, re.MULTILINE)
    assert found
    assert f"{found[1]} %: that run is the one in the [README]" in results
