"""The self-test built by GCC for bare processors and run by QEMU's boards, as the docs say."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from support.networks_integer import example_network
from support.places import DOCS

from export.c import COptions, write_c

PAGE = (DOCS / "deploy.md").read_text()
COMMANDS = re.findall(r"^make (\S+) CROSS=(\".+\")\n(qemu.+)$", PAGE, re.MULTILINE)


def test_the_page_has_commands_for_every_port() -> None:
    assert [port for port, _, _ in COMMANDS] == ["cortex-m0", "cortex-m4", "rv32"]


@pytest.mark.parametrize(("port", "cross", "qemu"), COMMANDS)
def test_the_selftest_passes(port: str, cross: str, qemu: str, tmp_path: Path) -> None:
    needed = [shlex.split(shlex.split(cross)[0])[0], shlex.split(qemu)[0]]
    missing = [tool for tool in needed if not shutil.which(tool)]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    write_c(example_network(), tmp_path / "network.c", COptions(vectors=2))
    for command in (f"make {port} CROSS={cross}", qemu):
        done = subprocess.run(
            shlex.split(command),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "PASS" in done.stdout + done.stderr
