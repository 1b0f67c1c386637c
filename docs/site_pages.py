"""What the site (make docs) has beside the files of docs/: README, examples, the API by room.

A hook of mkdocs. Links between files of the repository become links between pages.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]

TEXTS = {
    "README.md": "start.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Texts beside docs/, by the pages they become."""
EXAMPLES = {
    f"examples/{path.name}": f"examples/{path.stem}.md"
    for path in sorted((ROOT / "examples").glob("*.py"))
}
NOTEBOOK_LINK = re.compile(r'href="(?![a-z]+:)([^"#]+)\.md(#[^"]*)?"')
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def rooms() -> dict[str, str]:
    """The rooms of docs/architecture.md, as arlif/core, and what they are for."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (tree,) = re.findall(r"^```\n(arlif/\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    found, package = {}, ""
    for line in tree.splitlines():
        indent, name, meaning = re.match(r"( *)(\S+)\s*(.*)", line).groups()
        if not indent:
            package = name.strip("/")
        elif len(indent) == 2:
            found[f"{package}/{name.strip('/')}"] = meaning
    return found


def modules(room: str) -> list[str]:
    """The modules of a room that have a name for others, as arlif.core.graph."""
    place = ROOT / room
    files = [place] if place.suffix else sorted(place.rglob("*.py"))
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if not file.name.startswith("_") or (file.name == "__init__.py" and room in str(file))
    ]


def page_of(room: str) -> str:
    """The page of a room's reference."""
    return f"api/{room.removesuffix('.py').replace('/', '.')}.md"


def pages() -> dict[str, str]:
    """Every page that is made, by its path in the site."""
    made = {page: (ROOT / text).read_text(encoding="utf-8") for text, page in TEXTS.items()}
    for path, page in EXAMPLES.items():
        made[page] = f"# {path}\n\n```python\n{(ROOT / path).read_text(encoding='utf-8')}```\n"
    listed = []
    for room, meaning in rooms().items():
        listed.append(f"| [`{room}`]({page_of(room).removeprefix('api/')}) | {meaning} |")
        blocks = "\n\n".join(f"::: {module}" for module in modules(room))
        made[page_of(room)] = f"# {room}\n\n{meaning}\n\n{blocks}\n"
    made["api/index.md"] = (
        "# API, room by room\n\nMade of the docstrings. Imports run down this list only, see "
        "[Architecture](../architecture.md).\n\n| room | holds |\n|---|---|\n" + "\n".join(listed)
    )
    return made


def target_of(path: str) -> str:
    """The page of a file of the repository. Raises PluginError where it has none."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if page := (TEXTS | EXAMPLES).get(path):
        return page
    for room in rooms():
        if path == room or path.startswith(f"{room.removesuffix('.py')}/"):
            return page_of(room)
    raise PluginError(f"a page links to {path}, which the site does not hold")


def relinked(text: str, origin: str, page: str) -> str:
    """A text of the repository's file `origin` with its links as the site's `page` needs them."""

    def link(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), found[1]))
        to = posixpath.relpath(target_of(path), posixpath.dirname(page) or ".")
        return f"]({to}{found[2] or ''})"

    return LINK.sub(link, text)


def on_config(config: Any) -> Any:
    """Examples and API in the navigation."""
    shown = [{path.removeprefix("examples/"): page} for path, page in EXAMPLES.items()]
    api = [{"Rooms": "api/index.md"}, *({room: page_of(room)} for room in rooms())]
    config.nav = [*config.nav, {"Examples": shown}, {"API": api}]
    return config


def on_files(files: Any, config: Any) -> Any:
    """The pages that are made."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Links of a page that stands in the repository."""
    uri = page.file.src_uri
    if uri.startswith(("api/", "examples/")) or uri.endswith(".ipynb"):
        return markdown
    origins = {page: text for text, page in TEXTS.items()}
    return relinked(markdown, origins.get(uri, f"docs/{uri}"), uri)


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Links of a notebook, which mkdocs leaves as they stand there, lead to pages."""
    uri = page.file.src_uri
    if not uri.endswith(".ipynb"):
        return output

    def link(found: re.Match[str]) -> str:
        text = posixpath.normpath(posixpath.join(posixpath.dirname(uri), f"{found[1]}.md"))
        if not (ROOT / "docs" / text).is_file():
            raise PluginError(f"{uri} links to {text}, which docs/ does not hold")
        return f'href="{found[1]}.html{found[2] or ""}"'

    return NOTEBOOK_LINK.sub(link, output)
