"""Verbs that measure and report, on a small run: what they say, refuse and leave out."""

import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from support.command_line import Cli, exit_code

from arlif.base.errors import ArlifError
from arlif.base.numerals import UNITS, significant
from arlif.run_folder import ENERGY, Run
from arlif.training import read_recipe
from hw_sim.cli import output
from hw_sim.crosscheck import callback
from hw_sim.crosscheck.result import Check, Verdict, write_checks
from hw_sim.pipeline import sweep
from hw_sim.pipeline.samples import load_samples, load_spread

SMALL = ("--recipe", "digits", "--set", "architecture.features=[4]", "--set", "epochs=1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run that is trained and quantized."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    for verb in (("train", folder, *SMALL), ("quantize", folder)):
        assert exit_code(*verb) == 0
    return folder


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
    (run / "crosscheck.json").write_text('[{"epoch": 1, "result": "of another version"}]')
    assert cli("report", run)[0] == 0
    content = json.loads((run / "report.json").read_text())
    (note,) = content["notes"]
    assert content["crosscheck"] == []
    assert f"left out: {run / 'crosscheck.json'}" in note
    assert "remove it" in note
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
    del found["samples"]
    for damaged in ([], {"integer-onnx": 3}, {"integer-onnx": found}, "text"):
        (run / "compare.json").write_text(json.dumps(damaged))
        code, _, err = cli("report", run)
        assert (code, str(run / "compare.json") in err) == (2, True), damaged
        assert cli("compare", run, "--got", "onnx")[0] == 0
        assert cli("report", run)[0] == 0


def test_a_training_says_how_its_checks_ended(tmp_path: Path, cli: Cli, monkeypatch):
    ended = SimpleNamespace(wait=lambda: Check(1, Verdict.FAILED, "a reason"))
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


POINT = ("--weight-bits", "8", "--time-steps", "1")


def test_sweeps_of_other_samples_are_not_compared(run: Path, tmp_path: Path, cli: Cli):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    assert cli("sweep", run, *POINT, "--samples", "30")[0] == 0
    assert cli("sweep", other, *POINT, "--samples", "20")[0] == 0
    code, _, err = cli("report", run, "--beside", other)
    assert code == 2
    assert "30 samples of digits" in err
    assert "20 samples of digits" in err
    assert cli("sweep", other, *POINT, "--samples", "30")[0] == 0
    assert cli("report", run, "--beside", other)[0] == 0
    assert "energy per inference, integer (uJ)" in (run / "report.html").read_text()
    assert "energy per inference, paper (uJ)" not in (run / "report.html").read_text()
    (run / "sweep.json").write_text("[]")
    code, _, err = cli("report", run)
    assert code == 2
    assert "arlif sweep" in err


def points(run: Path) -> list[tuple[int, int]]:
    rows = json.loads((run / "sweep.json").read_text())["rows"]
    return [(row["weight_bits"], row["time_steps"]) for row in rows]


def test_a_stopped_sweep_goes_on_where_it_was(run: Path, tmp_path: Path, cli: Cli, monkeypatch):
    measured = []
    real = sweep._point

    def point(*given):
        precision, steps = given[4:6]
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append((precision.weight_bits, steps))
        return real(*given)

    options = ("--weight-bits", "4,8,4", "--time-steps", "1,2", "--samples", "20")
    monkeypatch.setattr(sweep, "_point", point)
    assert cli("sweep", run, *options)[0] == 130
    assert points(run) == measured == [(4, 1), (4, 2)]
    assert cli("report", run)[0] == 0
    assert "The sweep is not finished, with 2 of 4 points" in (run / "report.html").read_text()
    other = Path(shutil.copytree(run, tmp_path / "other"))
    code, _, err = cli("report", run, "--beside", other)
    assert (code, "2 of 4 points; run it again: arlif sweep" in err) == (2, True)
    measured.clear()
    _, out, _ = cli("sweep", run, *options)
    assert "2 of 4 points already" in out
    assert measured == [(8, 1), (8, 2)]
    assert points(run) == [(4, 1), (4, 2), (8, 1), (8, 2)]
    monkeypatch.setattr(sweep, "_point", real)
    _, out, _ = cli("sweep", run, *POINT, "--samples", "10")
    assert "starts anew: samples differ" in out
    assert points(run) == [(8, 1)]


def test_a_sweep_of_other_points_keeps_those_that_are_measured(run: Path, cli: Cli, monkeypatch):
    assert cli("sweep", run, "--weight-bits", "4,8", "--time-steps", "1", "--samples", "20")[0] == 0
    before = json.loads((run / "sweep.json").read_text())["rows"]
    code, out, _ = cli(
        "sweep", run, "--weight-bits", "8,6", "--time-steps", "1", "--samples", "20", "--json"
    )
    assert code == 0
    asked = json.loads(out)["rows"]
    assert [row["weight_bits"] for row in asked] == [8, 6]
    assert asked[0] == before[1]
    monkeypatch.setattr(sweep, "_point", None)  # nothing is measured again
    assert cli("sweep", run, *POINT, "--samples", "20")[0] == 0
    assert json.loads((run / "sweep.json").read_text())["rows"] == [before[0], asked[1], asked[0]]
    assert cli("report", run)[0] == 0


def test_sweeps_are_compared_where_they_have_points_in_common(run: Path, tmp_path: Path, cli: Cli):
    other, apart = (Path(shutil.copytree(run, tmp_path / name)) for name in ("other", "apart"))
    for folder, bits in ((run, "4,8"), (other, "6,8"), (apart, "6")):
        options = ("--weight-bits", bits, "--time-steps", "1", "--samples", "20")
        assert cli("sweep", folder, *options)[0] == 0
    assert cli("report", run, "--beside", other)[0] == 0
    neurons = json.loads((run / "report.json").read_text())["neurons"]
    assert neurons["points"] == 1
    cheapest = [point for network in neurons["networks"] for point in network["cheapest"].values()]
    assert {point["weight_bits"] for point in cheapest} == {8}
    assert "which alone are compared: 1." in (run / "report.html").read_text()
    code, _, err = cli("report", run, "--beside", apart)
    assert (code, "no point in common; sweep again" in err) == (2, True)


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
        changed = (run / file).stat()
        (run / file).write_text(json.dumps(damaged))
        os.utime(run / file, ns=(changed.st_atime_ns, changed.st_mtime_ns))
        code, _, err = cli("report", run)
        assert (code, err.count("error:")) == (2, 1), damaged
        assert str(run / file) in err
        assert f"arlif {verb} {run}" in err


def test_a_report_names_the_file_that_a_run_lacks(run: Path, cli: Cli):
    (run / "metrics.csv").unlink()
    code, _, err = cli("report", run)
    assert (code, f"{run} has no metrics.csv" in err) == (2, True)


def test_numbers_in_tables_are_whole_on_narrow_terminals_and_in_pipes(capsys, monkeypatch):
    row = ["a_layer_with_a_long_name", "100.00 %", *["1,234,567"] * 7]
    heads = ["[red]layer[/red]", "accuracy", *(f"number[{n}]" for n in range(7))]
    for terminal in (True, False):
        narrow = Console(width=80, force_terminal=terminal, color_system=None)
        monkeypatch.setattr(output, "MESSAGES", narrow)
        output.Output(as_json=False).table("a [blue]title", heads, [row])
        out = capsys.readouterr().out
        first = 1 if terminal else 0  # names fold on terminals
        assert all(out.count(cell) == row.count(cell) for cell in row[first:])
        assert all(head in out for head in heads[first:])
        assert "a [blue]title" in out


def test_text_in_tables_is_folded_not_cut(capsys, monkeypatch):
    monkeypatch.setattr(output, "MESSAGES", Console(width=40, force_terminal=True))
    output.Output(as_json=False).table("title", ["name", "what"], [["a", "word " * 20 + "end"]])
    out = capsys.readouterr().out
    assert out.count("word") == 20
    assert "end" in out


@given(st.floats(-1e14, 1e14))
def test_three_digits_keep_the_magnitude(value: float):
    text = significant(value)
    number, _, unit = text.partition(" ")
    got = float(number.replace(",", "")) * 1000.0 ** UNITS.index(f" {unit}" if unit else "")
    assert got == pytest.approx(value, rel=0.0051, abs=0)
    assert not text.startswith("-0.0 ")


def test_a_result_that_is_not_finite_is_no_json(run: Path):
    with pytest.raises(ArlifError, match="infinite"):
        Run(run).write_json(ENERGY, {"energy": float("inf")})
    assert not (run / "energy.json").exists()


def test_a_sweep_sees_samples_of_every_class(run: Path):
    recipe = read_recipe(run)
    some = load_spread(recipe, None, "test", 30)
    assert np.bincount(some.labels).tolist() == [3] * 10
    assert sorted(some.labels[:10]) == list(range(10))
    whole, stored = (f(recipe, None, "test", 10_000) for f in (load_spread, load_samples))
    assert np.array_equal(whole.labels, stored.labels)


def test_energy_of_an_earlier_simulation_is_not_reported(run: Path, cli: Cli):
    def reported() -> bool:
        assert cli("report", run)[0] == 0
        return json.loads((run / "report.json").read_text())["energy"] is not None

    assert cli("simulate", run, "--samples", "20")[0] == 0
    assert cli("energy", run)[0] == 0
    assert reported()
    assert cli("simulate", run, "--samples", "10")[0] == 0
    assert not reported()
    assert cli("energy", run)[0] == 0
    assert reported()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--rate", "0.2"), "--rate is for --table3"),
        (("--table3",), "neither RUN nor --engine nor --model"),
        (("--model", "paper", "--model", "paper"), "different names"),
    ],
)
def test_options_of_energy_that_say_nothing_are_refused(run: Path, cli: Cli, options, complaint):
    assert cli("simulate", run, "--samples", "2")[0] == 0
    code, out, err = cli("energy", run, *options)
    assert (code, out) == (2, "")
    assert complaint in err


def test_cores_are_printed_with_what_was_assumed(run: Path, cli: Cli):
    mapping = json.loads(cli("map", run, "--cores", "loihi1", "--json")[1])
    said = cli("map", run, "--cores", "loihi1")[1]
    assert mapping["assumptions"]
    assert all(text in said for text in (mapping["source"], *mapping["assumptions"]))
    cores = [layer["cores"] for layer in mapping["layers"]]
    assert cores == [1, 1]
    assert "takes most" not in said
    assert f"{mapping['limiting_layer']} is the fullest" in said


def test_table_3_counts_on_no_engine(cli: Cli):
    for engine in ("lava", "integer"):
        code, out, err = cli("energy", "--table3", "--engine", engine)
        assert (code, out) == (2, "")
        assert "nor --engine" in err


def test_a_lava_check_that_did_not_run_is_not_green(run: Path, cli: Cli):
    write_checks(Run(run), [Check(n, v, f"m{n}") for n, v in enumerate(Verdict, 1)])
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text()
    verdicts = re.findall(r'<span class="(\w+)">([a-z ]+)</span>: m', page)
    assert {verdict for name, verdict in verdicts if name == "good"} == {"passed"}
    assert {verdict for name, verdict in verdicts if name == "bad"} == {"failed"}


def test_table_3_says_without_a_rate_what_needs_none(cli: Cli):
    rows = json.loads(cli("energy", "--table3", "--json")[1])
    code, out, _ = cli("energy", "--table3")
    assert code == 0
    for row in rows:
        assert row["energy_uj"] is None
        assert f" {row['event_multiply_accumulates_m']:,.2f} " in out
        assert f" {row['neuron_uj']:,.2f} " in out
    assert "figures that are on file" in out


def test_nothing_is_minus_zero(run: Path, cli: Cli):
    assert cli("simulate", run, "--samples", "4")[0] == 0
    assert cli("energy", run)[0] == 0
    energy = json.loads((run / "energy.json").read_text())
    energy["estimates"][0] |= {"border": -0.01, "error": -1e-6}
    (run / "energy.json").write_text(json.dumps(energy))
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text()
    assert "<td>-0.0" not in page
    assert "<td>0.00 %</td>" in page
