"""What docs/pipeline.md says of the stages as functions is true: its code runs."""

import re
from pathlib import Path

import pytest
from support.places import DOCS

import hw_sim.pipeline
from hw_sim.cli.exits import ExitCode

PAGE = (DOCS / "pipeline.md").read_text(encoding="utf-8")


def test_the_pipeline_runs_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(block, "docs/pipeline.md", "exec"), scope)
    comparison, energy, report = (scope[name] for name in ("comparison", "energy", "report"))
    assert (comparison["equal"], comparison["samples"]) == (True, 32)
    assert energy["total"]["synaptic_operations"]["mean"] > 0
    assert [row["engine"] for row in report["engines"]] == ["integer", "onnx"]
    assert report["quantization"]["weight_bits"] == 6
    assert Path("runs/digits/report.html").is_file()


def test_every_stage_and_exit_code_stands_on_the_page() -> None:
    for name in hw_sim.pipeline.__all__:
        assert f"`{name}" in PAGE
    for code in ExitCode:
        assert f"| {code.value} |" in PAGE
