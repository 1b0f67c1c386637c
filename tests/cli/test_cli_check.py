"""arlif check: what a trained network must change, for the formats that are asked for."""

import json
from pathlib import Path

import pytest
from support.command_line import exit_code as verb

Capture = pytest.CaptureFixture[str]


def trained(folder: Path, *settings: str) -> Path:
    """A run of one epoch on digits."""
    options = [part for setting in ("epochs=1", *settings) for part in ("--set", setting)]
    assert verb("train", folder / "run", *options) == 0
    return folder / "run"


def test_a_neuron_without_integers_is_named(tmp_path: Path, capsys: Capture) -> None:
    run = trained(tmp_path, "neuron.name=psn")
    capsys.readouterr()
    assert verb("check", run, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["maps"] is False
    assert len(found["violations"]) > 1
    assert all("PSN cannot be deployed" in violation for violation in found["violations"])


def test_numbers_are_checked_for_the_formats_asked_for(tmp_path: Path, capsys: Capture) -> None:
    run = trained(tmp_path, "neuron.v_threshold=200")
    capsys.readouterr()
    assert verb("check", run) == 1
    assert "use a wider state format" in capsys.readouterr().out
    assert verb("check", run, "--preset", "loihi24", "--weight-bits", 4) == 0
    assert "everything maps" in capsys.readouterr().out


def test_formats_that_do_not_exist_are_refused(tmp_path: Path, capsys: Capture) -> None:
    run = trained(tmp_path)
    for wrong in (("--preset", "tiny"), ("--weight-bits", 9)):
        assert verb("check", run, *wrong) == 2
        assert "error: " in capsys.readouterr().err


def test_a_missing_run_is_an_error_on_standard_error(tmp_path: Path, capsys: Capture) -> None:
    assert verb("check", tmp_path / "none", "--json") == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["exit_code"] == 2
    assert "there is no run" in err
