"""What docs/pipeline.md says of the stages as functions is true: its code runs."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
import typer
from support.places import DOCS

import hw_sim.pipeline
from hw_sim.cli.app import app
from hw_sim.cli.exits import ExitCode

PAGE = (DOCS / "pipeline.md").read_text(encoding="utf-8")


def test_the_pipeline_runs_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(block, "docs/pipeline.md", "exec"), scope)
    comparison, energy, report = (scope[name] for name in ("comparison", "energy", "report"))
    assert (comparison["equal"], comparison["samples"], comparison["traced"]) == (True, 450, 32)
    assert energy["total"]["synaptic_operations"]["mean"] > 0
    assert [row["engine"] for row in report["engines"]] == ["integer", "onnx"]
    assert report["quantization"]["weight_bits"] == 6
    assert Path("runs/digits/report.html").is_file()


def on_the_page() -> dict[str, str]:
    """The functions of the table by their verbs."""
    return dict(re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", PAGE, re.MULTILINE))


def test_every_verb_on_a_run_has_its_function() -> None:
    verbs = {
        name
        for name, command in typer.main.get_command(app).commands.items()
        if any("RUN" in (parameter.metavar or "") for parameter in command.params)
    }
    assert {"train", "simulate", "summary", "demo"} <= verbs
    assert on_the_page().keys() == verbs - {"demo"}  # which is the others, one after the other


@pytest.mark.parametrize("verb", on_the_page())
def test_the_function_of_a_verb_takes_the_run_or_its_recipe(verb: str) -> None:
    package, _, name = f"hw_sim.pipeline.{on_the_page()[verb]}".rpartition(".")
    package = package.removeprefix("hw_sim.pipeline.") or package
    function = getattr(import_module(package), name)
    given = set(inspect.signature(function).parameters)
    assert given & {"folder", "run", "recipe", "config"}


def test_every_stage_and_exit_code_stands_on_the_page() -> None:
    for name in hw_sim.pipeline.__all__:
        assert f"`{name}" in PAGE
    for code in ExitCode:
        assert f"| {code.value} |" in PAGE
