"""Tables on terminals and in pipes."""

import io
import shutil

from rich.console import Console

from hw_sim.cli import output


def test_numbers_in_tables_are_whole_on_narrow_terminals_and_in_pipes(capsys, monkeypatch):
    row = ["a_layer_with_a_long_name", "100.00 %", *["1,234,567"] * 7]
    heads = ["[red]layer[/red]", "accuracy", *(f"number[{n}]" for n in range(7))]
    for terminal in (True, False):
        narrow = Console(width=80, force_terminal=terminal, color_system=None)
        monkeypatch.setattr(output, "MESSAGES", narrow)
        output.Output(as_json=False).table("a [blue]title", heads, [row])
        out = capsys.readouterr().out
        first = 1 if terminal else 0  # names fold on terminals
        assert all(out.count(cell) == row.count(cell) for cell in row[first:])
        assert all(head in out for head in heads[first:])
        assert "a [blue]title" in out


def test_text_in_tables_is_folded_not_cut(capsys, monkeypatch):
    monkeypatch.setattr(output, "MESSAGES", Console(width=40, force_terminal=True))
    output.Output(as_json=False).table("title", ["name", "what"], [["a", "word " * 20 + "end"]])
    out = capsys.readouterr().out
    assert out.count("word") == 20
    assert "end" in out


def test_a_bar_makes_way_for_a_line(monkeypatch):
    screen = io.StringIO()
    for name in ("MESSAGES", "ERRORS"):
        monkeypatch.setattr(output, name, Console(width=60, force_terminal=True, file=screen))
    words = output.Output(as_json=False)
    with words.progress("sweeping") as update:
        update(1, 2)
        words.say("what was found")
        update(2, 2)
        assert "sweeping" in screen.getvalue().split("what was found\n")[1]
    before, _, after = screen.getvalue().partition("what was found\n")
    assert before.endswith("\x1b[2K")  # the line was cleared
    assert "\x1b[2K" in after


def test_more_samples_than_there_are_are_answered_with_the_rule(cli, exported, tmp_path):
    run = shutil.copytree(exported, tmp_path / "run")
    _, out, _ = cli("simulate", run, "--samples", 100_000)
    assert "at most what there is: 100,000 were asked for, all 450 were taken" in out
    assert "at most" not in cli("simulate", run, "--samples", 2)[1]
