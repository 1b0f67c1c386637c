"""Tables for spreadsheets and papers: CSV and LaTeX of what people are shown."""

import csv
import io
import re
from collections.abc import Sequence

from arlif.base.numerals import UNITS

Rows = Sequence[Sequence[str]]

NUMBER = re.compile(rf"([+-]?[\d,]+(?:\.\d+)?(?:e[+-]?\d+)?)({'|'.join(UNITS[1:])}| %)?")

LATEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
        "<": "$<$",
        ">": "$>$",
        "±": r"$\pm$",
    }
)


def csv_text(title: str, columns: Sequence[str], rows: Rows) -> str:
    """A line of comment with the title, then CSV with plain numbers.

    1,234 becomes 1234; 253 k becomes 253e3; 98.5 % becomes 98.5 under a head that says [%]; a mean
    ± a standard deviation becomes two columns.
    """
    heads: list[str] = []
    cells: list[list[str]] = []
    for head, column in zip(columns, zip(*rows, strict=True), strict=True):
        parts = [cell.partition(" ± ") for cell in column]
        found = {head: [mean for mean, _, _ in parts]}
        if any(mark for _, mark, _ in parts):
            found[f"{head}, standard deviation"] = [spread for _, _, spread in parts]
        for name, values in found.items():
            numbers = [NUMBER.fullmatch(value) for value in values]
            plain = all(n or not v for n, v in zip(numbers, values, strict=True))
            percent = plain and any(number and number[2] == " %" for number in numbers)
            heads.append(f"{name} [%]" if percent else name)
            cells.append(
                [_plain(n) if plain and n else v for n, v in zip(numbers, values, strict=True)]
            )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *zip(*cells, strict=True)])
    return f"# {title}\n{text.getvalue()}"


def _plain(number: re.Match[str]) -> str:
    power = 3 * UNITS.index(number[2]) if number[2] in UNITS else 0
    return number[1].replace(",", "") + (f"e{power}" if power else "")


def latex_text(title: str, columns: Sequence[str], rows: Rows, numbers: Sequence[bool]) -> str:
    r"""A table environment with the title as caption, for \usepackage{booktabs}.

    numbers: which columns are set to the right.
    """

    def line(cells: Sequence[str]) -> str:
        return "    " + " & ".join(cell.translate(LATEX) for cell in cells) + r" \\"

    places = "".join("r" if number else "l" for number in numbers)
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{title.translate(LATEX)}}}",
            rf"  \begin{{tabular}}{{{places}}}",
            r"    \toprule",
            line(columns),
            r"    \midrule",
            *map(line, rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )
