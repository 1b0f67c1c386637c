"""Tables in a box, as Rich draws them; its own lays out a page for every cell."""

from collections.abc import Iterator, Sequence

from rich.box import HEAVY_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from hw_sim.cli.tables import Rows

TITLE, HEAD = Style(italic=True), Style(bold=True)


def boxed(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Rows,
    widths: Sequence[int],
    numbers: Sequence[bool],
) -> Segments:
    """What a console prints of a table.

    widths: of columns, in which longer cells are folded. numbers: which are set to the right.
    """
    box = HEAVY_HEAD.substitute(console.options)
    outer = [width + 2 for width in widths]

    def lines(cells: Sequence[str], low: bool = False) -> Iterator[list[str]]:
        """The lines of a row, short cells at its top, or low at its bottom."""
        folded = [_folded(console, *each) for each in zip(cells, widths, strict=True)]
        for cell in folded:
            empty = [""] * (max(map(len, folded)) - len(cell))
            cell[:] = empty + cell if low else cell + empty
        for parts in zip(*folded, strict=True):
            yield [_placed(*each) for each in zip(parts, widths, numbers, strict=True)]

    names = _folded(console, title, sum(outer) + len(widths) + 1)
    found = [part for line in names for part in (Segment(line, TITLE), Segment.line())]
    found.append(Segment(f"{box.get_top(outer)}\n"))
    for first, *others in lines(columns, low=True):
        found += [Segment(box.head_left), Segment(first, HEAD)]
        for cell in others:
            found += [Segment(box.head_vertical), Segment(cell, HEAD)]
        found.append(Segment(f"{box.head_right}\n"))
    found.append(Segment(f"{box.get_row(outer, 'head')}\n"))
    for row in rows:
        for cells in lines(row):
            found.append(Segment(f"{box.mid_left}{box.mid_vertical.join(cells)}{box.mid_right}\n"))
    found.append(Segment(f"{box.get_bottom(outer)}\n"))
    return Segments(found)


def _folded(console: Console, cell: str, width: int) -> list[str]:
    if cell.isprintable() and cell_len(cell) <= width:
        return [cell]
    return [line.plain.rstrip() for line in Text(cell).wrap(console, width, overflow="fold")]


def _placed(cell: str, width: int, number: bool) -> str:
    room = " " * (width - cell_len(cell))
    return f" {room}{cell} " if number else f" {cell}{room} "
