"""Tables in a box are those that Rich draws."""

import io
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hw_sim.cli.boxes import boxed

WORDS = st.text("ab 1,.-_[]%é漢字\n\t", max_size=24).map(str.rstrip)
"""Of narrow and wide letters, some folded between words, some within."""


def by_rich(console, title, columns, rows, widths, numbers):
    table = Table(
        title=Text(title, style="italic"),
        title_justify="left",
        width=sum(widths) + 3 * len(widths) + 1,
    )
    for column, number, width in zip(columns, numbers, widths, strict=True):
        justify = "right" if number else "left"
        table.add_column(Text(column), justify=justify, width=width, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def printed(draw, *table, color_system=None):
    screen = io.StringIO()
    console = Console(file=screen, width=200, force_terminal=True, color_system=color_system)
    console.print(draw(console, *table), crop=False)
    return [line.rstrip() for line in screen.getvalue().splitlines()]


@st.composite
def tables(draw):
    columns = draw(st.lists(WORDS, min_size=1, max_size=4))
    of_all = {"min_size": len(columns), "max_size": len(columns)}
    rows = draw(st.lists(st.lists(WORDS, **of_all), max_size=4))
    widths = draw(st.lists(st.integers(2, 24), **of_all))
    numbers = draw(st.lists(st.booleans(), **of_all))
    return draw(WORDS.filter(str.strip)), columns, rows, widths, numbers


@given(tables())
@settings(max_examples=50)
def test_a_table_is_the_one_that_rich_draws(table):
    assert printed(boxed, *table) == printed(by_rich, *table)


def test_titles_are_italic_and_heads_bold():
    table = ("a title", ["layer", "n"], [["one", "1"]], [5, 2], [False, True])
    title, *lines = printed(boxed, *table, color_system="truecolor")
    assert title == "\x1b[3ma title\x1b[0m"
    wanted = [
        line.replace("\x1b[0m\x1b[1m", "")
        for line in printed(by_rich, *table, color_system="truecolor")
    ]
    assert lines == wanted[1:]


def test_a_table_of_many_rows_is_drawn_at_once():
    table = ("many", list("abcdef"), [list("123456")] * 10_000, [5] * 6, [True] * 6)
    started = time.process_time()
    assert len(printed(boxed, *table)) == 10_005
    assert time.process_time() - started < 1.5  # Rich's own takes 3 s
