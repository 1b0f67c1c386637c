"""What the README says is true: its code and its commands run."""

import re
import shlex
from pathlib import Path

import pytest
from support.places import ROOT

from hw_sim.cli import main
from hw_sim.cli.demo import SHOWN
from hw_sim.cli.verify import COLUMNS
from hw_sim.engines.table import ENGINES

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), scope)
    assert scope["logits"].shape == (4, 32, 10)
    assert scope["spikes"].shape == (4, 32, 16, 8, 8)
    assert {path.name for path in Path("exported").iterdir()} == {
        "network.nir",
        "network.net",
        "network.onnx",
    }


@pytest.mark.lava
def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks("bash") for line in block.splitlines() if line]
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "arlif"
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code in (0, None), command


def test_the_table_of_the_demo_is_the_demos() -> None:
    shown = [ENGINES[name] for name in SHOWN]
    head, _, *rows = re.findall(r"^\|.*\|$", TEXT, re.MULTILINE)[: 2 + len(shown)]
    assert head == f"| {' | '.join(COLUMNS)} |"
    assert [row.split(" | ")[:2] for row in rows] == [[f"| {e}", e.reads.name] for e in shown]
