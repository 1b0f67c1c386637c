"""Cross-checks while a real training runs: what they find, and that training does not notice."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.crosscheck_runs import (
    HAS_LAVA,
    RECIPE,
    Ended,
    Slow,
    Snapshots,
    in_tensorboard,
)

from arlif.artifacts import CONFIG, SNAPSHOTS
from arlif.base.errors import ArlifError, FormatError
from arlif.base.plain_data import to_mapping
from arlif.run_folder import Run
from arlif.training import train
from arlif.training.metrics import Metrics, read_metrics
from hw_sim.cli import main
from hw_sim.crosscheck import callback
from hw_sim.crosscheck.callback import CrossCheck
from hw_sim.crosscheck.result import CROSSCHECK, Check, Verdict, read_checks
from hw_sim.report import write_report
from hw_sim.report.crosscheck_plots import check_figure

pytestmark = pytest.mark.timeout(900)  # checks run at the lowest priority on a busy machine


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("checked") / "run"
    checks = CrossCheck(run, every=1, samples=60, traced=3)
    train(RECIPE, run, accelerator="cpu", callbacks=(checks,))
    checks.finish()
    return run


def training_of(run: Path) -> list[dict[str, float]]:
    return [
        {k: v for k, v in row.items() if k != "seconds" and not k.startswith("check/")}
        for row in read_metrics(run)
    ]


def test_training_is_bit_identical_with_and_without(plain: Path, checked: Path):
    assert (plain / "model.pt").read_bytes() == (checked / "model.pt").read_bytes()
    assert training_of(plain) == training_of(checked)


def test_three_checks_land_in_order_and_in_the_metrics(checked: Path):
    checks = read_checks(Run(checked))
    assert [check.epoch for check in checks] == [1, 2, 3]
    for check, row in zip(checks, read_metrics(checked), strict=True):
        assert check.verdict is (Verdict.PASSED if HAS_LAVA else Verdict.NO_LAVA), check.message
        assert row["check/failed"] == 0
        assert {k: v for k, v in row.items() if k.startswith("check/")} == check.metrics()
    shown = in_tensorboard(checked, "check/energy_uj/memory/integer")
    assert shown == {
        c.epoch: pytest.approx(c.figures.energy_uj["memory"]["integer"]) for c in checks
    }
    assert not (checked / SNAPSHOTS).exists()


def test_a_check_agrees_with_itself_view_by_view(checked: Path):
    for check in read_checks(Run(checked)):
        figures = check.figures
        assert figures is not None
        assert (figures.samples, figures.traced) == (60, 3 if HAS_LAVA else 0)
        if HAS_LAVA:
            views = (figures.operations, *figures.energy_uj.values())
            assert all(view["lava"] == view["integer traced"] for view in views)
        assert 0 < figures.operations["integer"] < figures.operations["estimate"]
        assert 0 <= figures.spikes_changed < 0.5
        counted = {model: views["integer"] for model, views in figures.energy_uj.items()}
        assert counted["memory"] > counted["integer"] > 0
        assert counted["paper"] > 0
    # The last check saw the weights of the last epoch, on the first 60 test digits.
    assert abs(figures.float_accuracy - read_metrics(checked)[-1]["test_accuracy"]) < 0.2


def test_checks_are_in_the_report(checked: Path):
    report = write_report(Run(checked))
    page = (checked / "report.html").read_text()
    assert [check["epoch"] for check in report["crosscheck"]] == [1, 2, 3]
    for check in report["crosscheck"]:
        assert check["message"] in page
        assert f"{100 * check['figures']['fixed_accuracy']:.2f} %" in page


def test_checks_can_be_drawn(checked: Path):
    checks = read_checks(Run(checked))
    failed = Check(9, Verdict.FAILED, "no reason")
    for shown in (checks, [*checks, failed], [failed], []):
        drawn = io.BytesIO()
        check_figure(shown).savefig(drawn, format="svg")
        assert b"<svg" in drawn.getvalue()


def test_failing_checks_are_reported_and_stop_nothing(plain: Path, tmp_path: Path):
    run, other = tmp_path / "run", tmp_path / "other"
    late = CrossCheck(run, every=2, samples=10, traced=1, time_limit_s=0.01)
    Run(other).write_json(CONFIG, to_mapping(RECIPE))
    (other / SNAPSHOTS).write_text("a file where a folder should be")
    blocked = CrossCheck(other, every=3, samples=10, traced=1)
    train(RECIPE, run, accelerator="cpu", callbacks=(late, blocked))
    late.finish()
    blocked.finish()
    assert (plain / "model.pt").read_bytes() == (run / "model.pt").read_bytes()
    (check,) = read_checks(Run(run))
    assert check.verdict is Verdict.FAILED
    assert "longer than 0.01 s" in check.message
    reported = read_checks(Run(other))
    assert {check.verdict for check in reported} == {Verdict.FAILED}
    assert reported[-1].epoch == 3
    # Epoch 1: no room for samples. Epoch 2: out of time. Epoch 3: no room for the snapshot.
    assert [row.get("check/failed") for row in read_metrics(run)] == [1, 1, 1]


def test_no_failure_in_writing_results_stops_the_training_and_snapshots_go(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    run = tmp_path / "run"
    monkeypatch.setattr(Metrics, "amend", full)
    monkeypatch.setattr(callback, "CheckProcess", Ended)
    snapshots, checks = Snapshots(run), CrossCheck(run, every=1, samples=10, traced=1)
    train(RECIPE, run, accelerator="cpu", callbacks=(checks, snapshots))
    checks.finish()
    assert (plain / "model.pt").read_bytes() == (run / "model.pt").read_bytes()
    assert snapshots.found == [[], ["1"], ["2"]]


def test_a_damaged_record_is_an_error(tmp_path: Path):
    run = Run(tmp_path)
    run.write_json(CONFIG, to_mapping(RECIPE))
    for text in ("{}", "[{}]", "[3]", "not json", json.dumps([{"epoch": "1"}])):
        run.path(CROSSCHECK).write_text(text)
        with pytest.raises(FormatError, match=r"crosscheck\.json is damaged.*; remove it"):
            read_checks(run)


@pytest.mark.parametrize(
    ("every", "samples", "traced", "time_limit_s"),
    [(0, 10, 1, 9.0), (1, 10, 11, 9.0), (1, 10, 0, 9.0), (1, 10, 1, 0.0)],
)
def test_wrong_settings_are_refused(tmp_path, every, samples, traced, time_limit_s):
    with pytest.raises(ArlifError):
        CrossCheck(tmp_path, every, samples, traced, time_limit_s=time_limit_s)


@pytest.mark.parametrize("option", ["samples", "lava", "time-limit"])
def test_options_of_checks_without_checks_are_refused(tmp_path, capsys, option):
    with pytest.raises(SystemExit) as stop:
        main(["train", str(tmp_path / "run"), f"--cross-check-{option}", "10"])
    assert stop.value.code == 2
    assert f"--cross-check-{option}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_where_checks_are_slow_the_oldest_that_waits_is_dropped_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(callback, "CheckProcess", Slow)
    monkeypatch.setattr(callback, "WAITING", 1)
    run = tmp_path / "run"
    snapshots, checks = Snapshots(run), CrossCheck(run, every=1, samples=10, traced=1)
    recipe = replace(RECIPE, epochs=4)
    train(recipe, run, accelerator="cpu", callbacks=(checks, snapshots))
    assert snapshots.found == [[], ["1"], ["1", "2"], ["1", "3"]]
    assert checks.unfinished == 2
    seen = []
    checks.finish(lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2)]
    reported = [(c.epoch, c.verdict) for c in read_checks(Run(run))]
    failed, dropped = Verdict.FAILED, Verdict.DROPPED
    assert reported == [(1, failed), (2, dropped), (3, dropped), (4, failed)]
    assert "check less often" in checks.checks[1].message
    assert [row.get("check/failed") for row in read_metrics(run)] == [1, None, None, 1]
