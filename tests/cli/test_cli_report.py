"""arlif report on a small run: what it shows, refuses and leaves out."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.command_line import Cli
from support.noted import note
from support.small_runs import POINT, SMALL

from arlif.artifacts import ENERGY
from arlif.base.errors import ArlifError
from arlif.run_folder import Run
from hw_sim.crosscheck import callback
from hw_sim.crosscheck.result import Check, Verdict, write_checks


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_a_report_shows_what_was_decided_where_labels_are_known(run: Path, cli: Cli):
    assert cli("simulate", run, "--samples", "40")[0] == 0
    assert cli("report", run)[0] == 0
    content = json.loads((run / "report.json").read_text())
    (row,) = content["engines"]
    assert "confusion matrix, integer" in content["plots"]
    assert np.sum(row["confusion"]) == 40
    assert np.trace(row["confusion"]) / 40 == row["accuracy"]


def test_labels_of_no_class_are_refused(run: Path, cli: Cli):
    np.save(run / "inputs.npy", np.zeros((1, 2, 1, 8, 8), np.float32))
    np.save(run / "labels.npy", np.array([3, 10]))
    files = ("--inputs", run / "inputs.npy", "--labels", run / "labels.npy")
    code, _, err = cli("simulate", run, *files)
    assert code == 2
    assert "labels of 10 classes lie in 0 to 9, not 3 to 10" in err


def test_inputs_without_labels_are_reported_without_an_accuracy(run: Path, cli: Cli):
    inputs = run / "inputs.npy"
    np.save(inputs, np.random.default_rng(0).random((1, 6, 1, 8, 8), np.float32))
    assert cli("simulate", run, "--inputs", inputs)[0] == 0
    code, out, _ = cli("report", run)
    assert code == 0
    assert "integer" in out
    (row,) = json.loads((run / "report.json").read_text())["engines"]
    assert (row["samples"], row["accuracy"]) == (6, None)


def test_checks_of_an_earlier_training_are_not_reported(run: Path, cli: Cli):
    write_checks(Run(run), [Check(1, Verdict.FAILED, "an old reason")])
    assert cli("report", run)[0] == 0
    assert "an old reason" in (run / "report.html").read_text()
    assert cli("train", run, *SMALL, "--overwrite")[0] == 0
    assert cli("report", run)[0] == 0
    assert "an old reason" not in (run / "report.html").read_text()
    assert json.loads((run / "report.json").read_text())["crosscheck"] == []


def test_checks_that_cannot_be_read_are_left_out_and_noted(run: Path, cli: Cli):
    write_checks(Run(run), [])
    (run / "crosscheck.json").write_text('[{"epoch": 1, "result": "of another version"}]')
    note(run, "crosscheck.json")
    assert cli("report", run)[0] == 0
    content = json.loads((run / "report.json").read_text())
    (said,) = content["notes"]
    assert content["crosscheck"] == []
    assert f"left out: {run / 'crosscheck.json'}" in said
    assert "remove it" in said
    assert "The checks during training are left out" in (run / "report.html").read_text()


def test_comparisons_of_another_version_are_left_out(run: Path, cli: Cli):
    assert cli("export", run)[0] == 0
    for engine in ("integer", "onnx"):
        assert cli("simulate", run, "--engine", engine, "--samples", "2")[0] == 0
    old = {"integer-lava": {"want": "integer", "got": "lava", "equal": True}}
    (run / "compare.json").write_text(json.dumps(old))
    assert cli("report", run)[0] == 0
    assert cli("compare", run, "--got", "onnx")[0] == 0
    assert cli("report", run)[0] == 0
    (found,) = json.loads((run / "report.json").read_text())["comparisons"]
    assert found["got"] == "onnx"
    wrong = {"integer-onnx": found | {"equal": False}}
    del found["samples"]
    for damaged in ([], {"integer-onnx": 3}, {"integer-onnx": found}, wrong, "text"):
        (run / "compare.json").write_text(json.dumps(damaged))
        note(run, "compare.json")
        code, _, err = cli("report", run)
        assert (code, str(run / "compare.json") in err) == (2, True), damaged
        assert cli("compare", run, "--got", "onnx")[0] == 0
        assert cli("report", run)[0] == 0


def test_a_training_says_how_its_checks_ended(tmp_path: Path, cli: Cli, monkeypatch):
    ended = SimpleNamespace(wait=lambda seconds: Check(1, Verdict.FAILED, "a reason"))
    monkeypatch.setattr(callback, "CheckProcess", lambda folder, time_limit_s: ended)
    options = ("--cross-check", "1", "--cross-check-samples", "10", "--cross-check-lava", "2")
    code, out, _ = cli("train", tmp_path / "run", *SMALL, *options)
    assert code == 0
    assert "checks: 1 failed" in out
    assert "epoch 1 failed: a reason" in out
    code, out, _ = cli("train", tmp_path / "late", *SMALL, "--cross-check", "2")
    assert code == 0
    assert "no check fits" in out
    code, _, err = cli("train", tmp_path / "wrong", *SMALL, *options, "--cross-check-lava", "11")
    assert code == 2
    assert "not 11" in err


@pytest.mark.parametrize(
    ("file", "field", "verb"),
    [
        ("energy.json", "by_step", "energy"),
        ("energy.json", "layers", "energy"),
        ("quantize.json", "layers", "quantize"),
        ("training.json", "parameters", "train"),
        ("sweep.json", "samples", "sweep"),
        ("traces/integer.json", "confusion", "simulate"),
        ("traces/integer.json", "spikes_per_inference", "simulate"),
    ],
)
def test_a_report_names_files_of_another_version(run: Path, cli: Cli, file, field, verb):
    verbs = [("simulate", "--samples", "10"), ("energy",), ("sweep", *POINT, "--samples", "10")]
    for before, *options in verbs:
        assert cli(before, run, *options)[0] == 0
    content = json.loads((run / file).read_text())
    wrong = content.copy()
    del wrong[field]
    for damaged in (wrong, content | {field: [7]}):
        (run / file).write_text(json.dumps(damaged))
        note(run, file)
        code, _, err = cli("report", run)
        assert (code, err.count("error:")) == (2, 1), damaged
        assert str(run / file) in err
        assert f"arlif {verb} {run}" in err


def test_a_report_names_the_file_that_a_run_lacks(run: Path, cli: Cli):
    (run / "metrics.csv").unlink()
    code, _, err = cli("report", run)
    assert (code, f"{run} has no metrics.csv" in err) == (2, True)


def test_a_result_that_is_not_finite_is_no_json(run: Path):
    with pytest.raises(ArlifError, match="infinite"):
        Run(run).write_json(ENERGY, {"energy": float("inf")})
    assert not (run / "energy.json").exists()


def test_a_lava_check_that_did_not_run_is_not_green(run: Path, cli: Cli):
    write_checks(Run(run), [Check(n, v, f"m{n}") for n, v in enumerate(Verdict, 1)])
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text()
    verdicts = re.findall(r'<span class="(\w+)">([a-z ]+)</span>: m', page)
    assert {verdict for name, verdict in verdicts if name == "good"} == {"passed"}
    assert {verdict for name, verdict in verdicts if name == "bad"} == {"failed"}
