"""The command line before it starts work: help, and wrong words on it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import Cli


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "RUN", "--recipe", "nothing"),
        ("train", "RUN", "--set", "time_steps=0"),
        ("train", "RUN", "--set", "dataset=nothing"),
        ("train", "RUN", "--set", "nonsense"),
        ("train", "RUN", "--resume"),
        ("quantize", "RUN"),
        ("export", "RUN"),
        ("simulate", "RUN"),
        ("compare", "RUN"),
        ("report", "RUN"),
    ],
)
def test_wrong_input_is_one_clear_line(tmp_path: Path, cli: Cli, arguments: tuple[str]) -> None:
    run = tmp_path / "run"
    code, out, err = cli(*(run if a == "RUN" else a for a in arguments))
    assert code == 2
    assert not out
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not run.exists()


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("fly",), "'fly'"),
        (("simulate", "my run", "--engine", "abacus"), "'float', 'integer', 'lava', 'onnx'"),
        (("energy", "--table3", "--rate", "2"), "'--rate'"),
        (("train", "RUN", "--epochz", "3"), "--epochz"),
        (("quantize",), "RUN"),
    ],
)
def test_wrong_usage_is_one_line(cli: Cli, arguments: tuple[str], rule: str) -> None:
    code, out, err = cli(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    said, given, cure = err.split("; ")
    assert said.startswith("error: ")
    assert rule in said
    assert given == f"given: {shlex.join(['arlif', *arguments])}"
    assert re.fullmatch(r"see arlif( \w+)? --help\n", cure)


def test_without_a_verb_there_is_help(cli: Cli) -> None:
    code, out, err = cli()
    assert (code, "Usage: arlif" in out, err) == (2, True, "")


def test_help_names_the_verbs_in_the_order_of_the_pipeline(cli: Cli) -> None:
    code, out, _ = cli("--help")
    verbs = ["train", "quantize", "export", "simulate", "compare", "energy", "report", "demo"]
    places = [re.search(rf"│ {verb} ", out) for verb in verbs]
    assert code == 0
    assert all(places)
    starts = [place.start() for place in places if place]
    assert starts == sorted(starts)


def test_help_loads_no_torch() -> None:
    code = (
        "import sys\nfrom hw_sim.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
