"""What shells and programs get of the command line: completion, and errors as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import Cli

import hw_sim.cli.app

VERBS = [command.callback.__name__ for command in hw_sim.cli.app.app.registered_commands]
WITHOUT_JSON = {"report"}
"""What prints no JSON at all."""


def arlif(home: Path, *words: str, **environment: str) -> str:
    """Standard output of `arlif` in a process of its own, in a home of its own."""
    inherited = {**os.environ, "HOME": str(home)}
    inherited["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "arlif", *words],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("arlif ev", {"evaluate"}),
        ("arlif simulate RUN --engine o", {"onnx"}),
        ("arlif quantize RUN --weight", {"--weight-bits"}),
    ],
)
def test_a_shell_completes_verbs_options_and_engines(
    tmp_path: Path, line: str, completed: set[str]
) -> None:
    count = str(len(line.split()) - 1)
    asked = {"_ARLIF_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": count}
    assert {*arlif(tmp_path, **asked).split()} == completed


def test_completion_is_installed_for_a_shell(tmp_path: Path) -> None:
    assert "bash completion installed" in arlif(tmp_path, "--install-completion", "bash")
    (script,) = tmp_path.rglob("*.sh")
    assert "_ARLIF_COMPLETE=complete_bash" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("quantize", "RUN", "--json"), "ArlifError"),
        (("train", "RUN", "--set", "epochs=0", "--json"), "ArlifError"),
        (("simulate", "RUN", "--engine", "abacus", "--json"), "UsageError"),
        (("fly", "--json"), "UsageError"),
        (("data", "get", "nothing", "--json"), "ArlifError"),
    ],
)
def test_an_error_is_json_where_json_is_asked_for(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], kind: str
) -> None:
    code, out, err = cli(*(tmp_path / "run" if word == "RUN" else word for word in words))
    (name, error), *more = json.loads(out).items()
    assert (code, name, more) == (2, "error", [])
    assert error == {
        "type": kind,
        "message": err.removeprefix("error: ").removesuffix("\n"),
        "exit_code": 2,
    }


@pytest.mark.parametrize("verb", sorted({*VERBS} - WITHOUT_JSON))
def test_every_verb_answers_a_missing_argument_in_json(cli: Cli, verb: str) -> None:
    name = {"import_network": "import", "map_cores": "map"}.get(verb, verb)
    code, out, _ = cli(name, "--no-such-option", "--json")
    assert code == 2
    assert json.loads(out)["error"]["message"]
