"""What docs/deploy.md says is run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from support.command_line import Cli
from support.places import DOCS
from support.small_runs import SMALL

from export.c.c_project import template

PAGE = (DOCS / "deploy.md").read_text(encoding="utf-8")


def test_the_commands_run_and_the_c_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("train", "runs/digits", *SMALL)[0] == 0
    assert cli("quantize", "runs/digits")[0] == 0
    (block,) = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        code, out, err = cli(*arguments)
        assert (program, code, err) == ("arlif", 0, ""), line
    assert "0 of " in out
    call, record = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    declared, called = call.splitlines()
    main = f'#include "network.h"\n{declared}\n{record}int main(void) {{ int8_t input[64] = {{0}};'
    (tmp_path / "main.c").write_text(f"{main} {called} return (int)decision - (int)decision; }}\n")
    project = tmp_path / "runs" / "digits" / "c"
    files = ["main.c", str(project / "network.c"), f"-I{project}", "-o", "main"]
    subprocess.run(["cc", "-std=c99", "-Wall", "-Werror", *files], check=True)
    subprocess.run(["./main"], check=True)


def test_the_page_names_what_is_written() -> None:
    for target in re.findall(r"^([a-z]+):", template("Makefile"), re.MULTILINE):
        assert target in ("clean", "selftest") or f"`{target}`" in PAGE
