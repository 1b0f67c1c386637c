"""The notebooks of the site run from top to bottom; make docs runs them in Jupyter."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.places import DOCS

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path: Path) -> list[str]:
    """Its cells without the lines that are for Jupyter only."""
    return [
        "".join(line for line in cell["source"] if not line.startswith("%"))
        for cell in cells(path)
        if cell["cell_type"] == "code"
    ]


def test_they_are_kept_without_what_they_print() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["digits", "own_neuron", "snntorch"]
    for path in NOTEBOOKS:
        for cell in cells(path):
            assert not cell.get("outputs"), path.name
            assert cell.get("execution_count") is None, path.name


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_says_what_it_is_there_to_say(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {"__name__": "__main__"}
    for source in code(path):
        exec(compile(source, path.name, "exec"), scope)
    said = capsys.readouterr().out
    if path.stem == "digits":
        assert [row[-1] for row in scope["rows"] if row[-1]] == ["0"] * 3  # lava, onnx, c
    if path.stem == "own_neuron":
        assert said.startswith("0 of")
    if path.stem == "snntorch":
        assert (scope["want"] - scope["got"]).abs().max() < 1e-4
