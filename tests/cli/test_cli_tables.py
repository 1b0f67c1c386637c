"""The tables of verbs as CSV and LaTeX."""

import csv
import shutil
from pathlib import Path

import pytest
from support.command_line import Cli

from arlif.base.errors import ArlifError
from hw_sim.cli.output import Output
from hw_sim.cli.tables import csv_text, latex_text

COLUMNS = ["layer_1", "accuracy", "last", "operations", "of", "uJ"]
ROWS = [
    ["conv & pool", "98.50 %", "91.00 ± 1.41", "1,234,567", "2 of 3", "253 k"],
    ["a, b", "", "90.00 ± 0.10", "-2.5e-07", "3 of 3", "1.30 M"],
]


def test_csv_holds_plain_numbers() -> None:
    comment, *lines = csv_text("what it is", COLUMNS, ROWS).splitlines()
    assert comment == "# what it is"
    assert [*csv.reader(lines)] == [
        ["layer_1", "accuracy [%]", "last", "last, standard deviation", "operations", "of", "uJ"],
        ["conv & pool", "98.50", "91.00", "1.41", "1234567", "2 of 3", "253e3"],
        ["a, b", "", "90.00", "0.10", "-2.5e-07", "3 of 3", "1.30e6"],
    ]


def test_spreads_are_numbers_whatever_their_unit() -> None:
    cells = ["98.50 % ± 0.25 %", "1,234,567 ± 1,024", "253 k ± 1.50 k", "98.44 ± 0.50"]
    _, heads, numbers = csv_text("what it is", ["a", "b", "c", "d"], [cells]).splitlines()
    assert heads == ",".join(
        ['a [%],"a, standard deviation [%]"', *(f'{n},"{n}, standard deviation"' for n in "bcd")]
    )
    assert numbers == "98.50,0.25,1234567,1024,253e3,1.50e3,98.44,0.50"


def test_counts_are_exact_in_csv() -> None:
    assert Output(as_json=False, as_csv=True).count(193_693.6) == "193,694"
    assert Output(as_json=False).count(193_693.6) == "193.7 k"


def test_latex_escapes_what_it_would_read() -> None:
    text = latex_text("50 % of {a}", COLUMNS, ROWS, [False, True, True, True, False, True])
    assert r"\caption{50 \% of \{a\}}" in text
    assert r"\begin{tabular}{lrrrlr}" in text
    assert r"    layer\_1 & accuracy & last & operations & of & uJ \\" in text
    assert r"    conv \& pool & 98.50 \% & 91.00 $\pm$ 1.41 & 1,234,567 & 2 of 3 & 253 k \\" in text
    assert latex_text("~^\\<", ["a"], [["b"]], [False]).count("{}") == 3


@pytest.mark.parametrize("forms", [(True, True, False), (False, True, True)])
def test_one_form_is_printed(forms: tuple[bool, bool, bool]) -> None:
    with pytest.raises(ArlifError, match="give one of them"):
        Output(*forms)


def test_verbs_print_nothing_but_their_tables(exported: Path, tmp_path: Path, cli: Cli) -> None:
    run = shutil.copytree(exported, tmp_path / "run")
    assert cli("simulate", run, "--samples", "4")[0] == 0
    for words in (
        ("summary", run),
        ("map", run),
        ("energy", run),
        ("calibrate", run, "--samples", "8"),
        ("sweep", run, "--weight-bits", "8", "--time-steps", "1", "--samples", "8"),
    ):
        code, out, err = cli(*words, "--csv")
        assert (code, err) == (0, "")
        blocks = [block.splitlines() for block in out.strip().split("\n\n")]
        for title, *lines in blocks:
            assert title.startswith("# ")
            assert len({len(row) for row in csv.reader(lines)}) == 1
        assert " k" not in out
        code, out, err = cli(*words, "--latex")
        assert (code, err) == (0, "")
        assert out.count(r"\begin{table}") == out.count(r"\end{table}") == len(blocks)
        assert out.strip().startswith(r"\begin{table}")
        assert out.strip().endswith(r"\end{table}")
