"""Tables for spreadsheets and papers: CSV and LaTeX of what people are shown."""

import csv
import io
import re
from collections.abc import Sequence

Rows = Sequence[Sequence[str]]

NUMBER = re.compile(r"([+-]?[\d,]+(?:\.\d+)?(?:e[+-]?\d+)?)( %)?")
SPREAD = re.compile(r"([\d.]+) ± ([\d.]+)")

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

    1,234 becomes 1234; 98.5 % becomes 98.5 under a head that says [%]; a mean ± a standard
    deviation becomes two columns.
    """
    heads: list[str] = []
    cells: list[list[str]] = []
    for head, column in zip(columns, zip(*rows, strict=True), strict=True):
        spreads = [SPREAD.fullmatch(cell) for cell in column]
        numbers = [NUMBER.fullmatch(cell) for cell in column]
        if any(spreads):
            heads += [head, f"{head}, standard deviation"]
            cells.append([s[1] if s else c for s, c in zip(spreads, column, strict=True)])
            cells.append([s[2] if s else "" for s in spreads])
        elif all(n or not c for n, c in zip(numbers, column, strict=True)):
            percent = any(number and number[2] for number in numbers)
            heads.append(f"{head} [%]" if percent else head)
            cells.append([number[1].replace(",", "") if number else "" for number in numbers])
        else:
            heads.append(head)
            cells.append([*column])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *zip(*cells, strict=True)])
    return f"# {title}\n{text.getvalue()}"


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
