"""A run's folder whose name is not UTF-8, and files of a user's that print."""

import json
import os
import shutil
from pathlib import Path

import pytest
from support.command_line import Cli

from arlif.base.files import write_text


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A path that is bytes, but no UTF-8."""
    return Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff\xe9"))


def test_onnx_runs_where_the_name_is_not_utf8(exported: Path, odd: Path, cli: Cli) -> None:
    shutil.copytree(exported, odd)
    code, out, err = cli("simulate", odd, "--engine", "onnx", "--samples", "2", "--json")
    assert code == 0, (out, err)


def test_a_text_that_names_such_a_folder_can_be_written(odd: Path) -> None:
    write_text(odd / "x.html", f"of {odd.name}")
    assert (odd / "x.html").read_bytes() == b"of r??"


def test_what_a_file_of_a_user_prints_is_no_result(
    exported: Path, tmp_path: Path, cli: Cli
) -> None:
    run, samples = shutil.copytree(exported, tmp_path / "run"), tmp_path / "my.py"
    samples.write_text(
        "print('loading')\nimport torch\n"
        "def dataset():\n    print('calling')\n    return [(torch.zeros(1, 8, 8), 0)] * 3\n"
    )
    code, out, err = cli("simulate", run, "--inputs", f"{samples}:dataset", "--json")
    assert (code, err) == (0, "loading\ncalling\n")
    assert json.loads(out)["samples"] == 3


def test_colons_in_names_are_no_pictures(tmp_path: Path, cli: Cli) -> None:
    code, _, err = cli("import", "my.py:a:b", tmp_path / "run")
    assert (code, err.split(" must")[0]) == (2, "error: my.py:a:b")


def test_a_path_that_is_none_is_one_line(cli: Cli) -> None:
    code, _, err = cli("map", "x" * 300)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: xxx")
    assert err.endswith("File name too long; give another path, or change its permissions\n")


def test_a_message_of_thousands_of_letters_is_cut(cli: Cli) -> None:
    code, _, err = cli("summary", "a" * 9000)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: ")
    assert "aaa [...] " in err
    assert len(err) < 4100


def test_memory_that_is_not_there_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce(*words: object) -> None:
        raise MemoryError("Unable to allocate 3.00 TiB")

    monkeypatch.setattr("hw_sim.pipeline.map_run", scarce)
    code, _, err = cli("map", "run")
    assert (code, err.split(";")[0]) == (
        2,
        "error: there is not enough memory (Unable to allocate 3.00 TiB)",
    )


@pytest.mark.parametrize("words", [("train", ""), ("map", "run", "--seeds", ""), ("",)])
def test_an_empty_argument_is_not_the_working_directory(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = cli(*words)
    assert (code, "no argument is empty" in err, err.count("\n")) == (2, True, 1)
    assert not list(tmp_path.iterdir())
