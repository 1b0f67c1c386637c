"""Cross-checks while a real training runs: what they find, and that training does not notice."""

import io
import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytorch_lightning as lightning

from arlif.data import Split, load
from arlif.errors import ArlifError
from arlif.run import Run
from arlif.training import load_recipe, train
from arlif.training.metrics import Metrics, read_metrics
from hw_sim.crosscheck import callback, process
from hw_sim.crosscheck.callback import CrossCheck
from hw_sim.crosscheck.figures import check_figure
from hw_sim.crosscheck.process import CheckProcess
from hw_sim.crosscheck.result import CROSSCHECK, Check, Verdict, read_checks
from hw_sim.crosscheck.task import SAMPLES, write_samples
from hw_sim.lava.requirements import PINNED, installed
from hw_sim.report import write_report

RECIPE = load_recipe("digits", {"epochs": 3, "architecture.features": [4, "pool", 6, "pool"]})
pytestmark = pytest.mark.timeout(900)  # checks run at the lowest priority on a busy machine
HAS_LAVA = installed("lava-nc") == PINNED["lava-nc"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("plain") / "run"
    train(RECIPE, run, accelerator="cpu")
    return run


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("checked") / "run"
    callback = CrossCheck(run, every=1, samples=60, traced=3)
    train(RECIPE, run, accelerator="cpu", callbacks=(callback,))
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
    assert not (checked / "crosscheck").exists()


def test_a_check_agrees_with_itself_view_by_view(checked: Path):
    for check in read_checks(Run(checked)):
        figures = check.figures
        assert figures is not None
        assert (figures.samples, figures.traced) == (60, 3)
        if HAS_LAVA:
            assert figures.operations["lava"] == figures.operations["integer traced"]
            assert figures.energy_uj["lava"] == figures.energy_uj["integer traced"]
        assert 0 < figures.operations["integer"] < figures.operations["estimate"]
        assert 0 <= figures.spikes_changed < 0.5
        assert figures.energy_uj["integer"] > 0
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
    other.mkdir()
    (other / "crosscheck").write_text("a file where a folder should be")
    blocked = CrossCheck(other, every=3, samples=10, traced=1)
    train(RECIPE, run, accelerator="cpu", callbacks=(late, blocked))
    assert (plain / "model.pt").read_bytes() == (run / "model.pt").read_bytes()
    (check,) = read_checks(Run(run))
    assert check.verdict is Verdict.FAILED
    assert "longer than 0.01 s" in check.message
    reported = read_checks(Run(other))
    assert {check.verdict for check in reported} == {Verdict.FAILED}
    assert reported[-1].epoch == 3
    # Epoch 1: no room for samples. Epoch 2: out of time. Epoch 3: no room for the snapshot.
    assert [row.get("check/failed") for row in read_metrics(run)] == [1, 1, 1]


def test_a_check_runs_at_the_lowest_priority_and_its_death_is_a_failed_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "torch.py").write_text("raise ImportError('a file that happens to lie here')")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "task.json").write_text("{not json")
    running = CheckProcess(folder, 60.0)
    priorities = set()
    while (check := running.poll()) is None:
        with suppress(psutil.NoSuchProcess):
            priorities.add(psutil.Process(running.process.pid).nice())
    assert max(priorities) == 19
    assert (check.epoch, check.verdict) == (7, Verdict.FAILED)
    assert "JSON" in check.message


def test_a_check_that_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "GRACE_S", 2.0)
    folder = tmp_path / "7"
    folder.mkdir()
    running = CheckProcess(folder, time_limit_s=0.0)
    running.process.kill()
    running.process.wait()
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    running.process = subprocess.Popen([sys.executable, "-c", deaf], start_new_session=True)
    time.sleep(0.5)
    before = time.monotonic()
    assert running.poll() is None
    assert time.monotonic() - before < 1.0
    check = running.wait()
    assert "longer than 0 s" in check.message
    assert running.process.returncode == -signal.SIGKILL


class Ended:
    """A check that has failed before it is asked."""

    def __init__(self, folder: Path, time_limit_s: float) -> None:
        self.epoch = int(folder.name)

    def poll(self) -> Check:
        return Check(self.epoch, Verdict.FAILED, "a reason")

    wait = poll


class Snapshots(lightning.Callback):
    """Notes which snapshots lie in a run when each epoch starts."""

    def __init__(self, run: Path) -> None:
        self.folder, self.found = run / "crosscheck", []

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        self.found.append(sorted(p.name for p in self.folder.iterdir() if p.is_dir()))


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
    assert (plain / "model.pt").read_bytes() == (run / "model.pt").read_bytes()
    assert snapshots.found == [[], ["1"], ["2"]]


def test_a_check_sees_samples_of_every_class_even_where_they_are_sorted(tmp_path: Path):
    dataset = load("digits")
    order = np.argsort(dataset.test.labels, kind="stable")
    ordered = Split(dataset.test.inputs[order], dataset.test.labels[order])
    write_samples(tmp_path, replace(dataset, test=ordered), 20)
    with np.load(tmp_path / SAMPLES) as stored:
        assert np.bincount(stored["labels"]).tolist() == [2] * 10
        assert len(set(stored["labels"][:8])) == 8
        assert stored["inputs"].shape[0] == 20


def test_a_damaged_record_is_an_error(tmp_path: Path):
    run = Run(tmp_path)
    for text in ("{}", "[{}]", "not json", json.dumps([{"epoch": "1"}])):
        run.path(CROSSCHECK).write_text(text)
        with pytest.raises(ArlifError):
            read_checks(run)


@pytest.mark.parametrize(("every", "samples", "traced"), [(0, 10, 1), (1, 10, 11), (1, 10, 0)])
def test_wrong_settings_are_refused(tmp_path, every, samples, traced):
    with pytest.raises(ArlifError):
        CrossCheck(tmp_path, every, samples, traced)
