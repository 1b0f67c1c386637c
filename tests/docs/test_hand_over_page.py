"""What docs/hand-over.md says is run: the files alone are the network, and a fault is named."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import Cli
from support.places import DOCS, ROOT
from support.small_runs import SMALL

PAGE = (DOCS / "hand-over.md").read_text(encoding="utf-8")


@pytest.mark.slow  # trains; tests/cli/test_cli_vectors.py does the same with a run of others
def test_the_commands_run_and_say_what_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    said = []
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            program, *words = shlex.split(line)
            if program == "python":
                subprocess.run([sys.executable, *words], check=True)
                continue
            code, out, err = cli(*([*words[:2], *SMALL] if words[0] == "train" else words))
            assert (program, err) == ("arlif", ""), line
            said.append((code, " ".join(out.split())))
    right, wrong = said[-2:]
    (differ,) = re.findall(r"`(0 of [\d,]+ values differ)`", PAGE)
    assert right[0] == 0
    assert re.search(re.sub(r"\d\S+", r"[\\d,]+", differ), right[1]), right
    (fault,) = re.findall(r"`(state u should be \S+, got \S+; neuron fault)`", PAGE)
    assert wrong[0] == 1
    assert re.search(re.sub(r"-\d+", r"-\\d+", fault), wrong[1]), wrong
