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
