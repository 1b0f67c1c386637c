"""The same network gives the same files, to the byte, in every process."""

import os
import subprocess
import sys
from pathlib import Path

from support.places import ROOT

from export.file_formats import FORMATS

HASH_SEEDS = ("1", "2")
"""Of Python's sets of text, whose order differs between these two."""


def test_files_are_the_same_in_every_process(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "support.written_everywhere", tmp_path / seed],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
        )
        for seed in HASH_SEEDS
    ]
    assert [process.wait() for process in processes] == [0, 0]
    first, second = (
        {f.relative_to(tmp_path / seed): f.read_bytes() for f in (tmp_path / seed).rglob("*.*")}
        for seed in HASH_SEEDS
    )
    assert {file.parts[0] for file in first} == FORMATS.keys()
    assert first.keys() == second.keys()
    assert [file for file in first if first[file] != second[file]] == []
