"""What a page says in words, and which of its numbers a JSON document does not hold."""

import re
from html.parser import HTMLParser
from typing import Any

from arlif.base.numerals import significant

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?: %)?")


class Text(HTMLParser):
    """The text of a page outside its plots and styles, piece by piece, and its references."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.pieces: list[str] = []
        self.references: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"svg", "style"}:
            self.inside.append(tag)
        named = {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}
        self.references += [value or "" for name, value in attrs if name in named]
        self.references += re.findall(r"url\(([^)]*)\)", " ".join(str(v) for _, v in attrs))

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside and data.strip():
            self.pieces.append(" ".join(data.split()))


def leaves(content: Any) -> list[Any]:
    """Every number and string of a JSON document."""
    if isinstance(content, dict):
        return [leaf for key, value in content.items() for leaf in (key, *leaves(value))]
    if isinstance(content, list):
        return [leaf for value in content for leaf in leaves(value)]
    return [content]


def unknown_numbers(page: str, report: dict[str, Any]) -> list[str]:
    """Numbers of the page that are neither a JSON number, rounded alike, nor in a JSON string."""
    strings = [leaf for leaf in leaves(report) if isinstance(leaf, str)]
    numbers = {leaf for leaf in leaves(report) if type(leaf) in (int, float)}
    known = {token for string in strings for token in NUMBER.findall(string)}
    for digits in range(5):
        rounded = {round(number, digits) + 0.0 for number in numbers}  # no -0.0
        known |= {f"{number:,.{digits}f}" for number in rounded}
        known |= {f"{number:.{digits}f}" for number in rounded}
    known |= {f"{round(100 * number, 2) + 0.0:.2f} %" for number in numbers}
    for digits in (2, 3):
        known |= {significant(number, digits).split(" ")[0] for number in numbers}
    pieces = [piece for piece in Text(page).pieces if piece not in strings]
    return [n for piece in pieces for n in NUMBER.findall(piece) if n not in known]
