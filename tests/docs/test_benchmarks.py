"""Benchmarks that take what a user gives refuse it as verbs do: one line, its cure, and 2."""

import runpy
import sys
from pathlib import Path

import pytest
from support.places import ROOT


def test_a_run_that_is_not_exported_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ROOT / "benchmarks" / "mnist_on_fpga.py"
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path)])
    monkeypatch.syspath_prepend(path.parent)
    before = {*sys.modules}
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(path), run_name="__main__")
    for name in {"command", "timing"} - before:
        del sys.modules[name]  # no other test finds what lies beside a benchmark
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert f"arlif export {tmp_path} --verilog" in err
