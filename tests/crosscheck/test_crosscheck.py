"""Cross-checks while a real training runs: what they find, and that training does not notice."""

import io
import json
import os
import shutil
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
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from arlif.base.errors import ArlifError, FormatError, UnfinishedError
from arlif.base.plain_data import to_mapping
from arlif.data import Split, load
from arlif.networks import build
from arlif.quantize import Precision
from arlif.run_folder import CONFIG, SNAPSHOTS, Run
from arlif.training import load_recipe, train
from arlif.training.metrics import Metrics, read_metrics
from hw_sim.cli import main
from hw_sim.crosscheck import callback, process
from hw_sim.crosscheck.background import ANSWER
from hw_sim.crosscheck.callback import CrossCheck
from hw_sim.crosscheck.process import CheckProcess
from hw_sim.crosscheck.result import CROSSCHECK, Check, Verdict, read_checks, write_checks
from hw_sim.crosscheck.task import SAMPLES, Task, run_task, write_samples, write_task
from hw_sim.engines.lava.requirements import PINNED, installed
from hw_sim.report import write_report
from hw_sim.report.crosscheck_figures import check_figure

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
    checks = CrossCheck(run, every=1, samples=60, traced=3)
    train(RECIPE, run, accelerator="cpu", callbacks=(checks,))
    checks.finish()
    return run


def in_tensorboard(run: Path, name: str) -> dict[int, float]:
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    return {event.step: event.value for event in events.Scalars(name)}


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


DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


def test_a_check_that_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "GRACE_S", 2.0)
    folder = tmp_path / "7"
    folder.mkdir()
    running = CheckProcess(folder, time_limit_s=0.0)
    running.process.kill()
    running.process.wait()
    running.process = subprocess.Popen(
        [sys.executable, "-c", DEAF], stdout=subprocess.PIPE, start_new_session=True
    )
    with running.process.stdout as words:
        assert words.readline() == b"deaf\n"
    assert running.poll() is None
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
    checks.finish()
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


def test_a_killed_check_says_so_and_what_it_logged_last(tmp_path: Path):
    folder = tmp_path / "7"
    folder.mkdir()
    running = CheckProcess(folder, time_limit_s=60.0)
    running.process.kill()
    running.process.wait()
    (folder / process.LOG).write_text("UserWarning: nothing to do with it\n")
    message = running.wait().message
    assert message.startswith("the check was killed by SIGKILL; is memory short?")
    assert message.endswith("its log ends with: UserWarning: nothing to do with it")


def test_without_lava_no_sample_was_on_lava(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hw_sim.crosscheck.snapshot.installed", lambda package: None)
    dataset = load("digits")
    write_samples(tmp_path, dataset, 10)
    net = build(RECIPE.network())
    write_task(tmp_path / "1", Task(1, RECIPE, Precision(), 4, 60.0), net.state_dict())
    alone = run_task(tmp_path / "1")
    assert alone.verdict is Verdict.NO_LAVA
    assert alone.figures is not None
    assert (alone.figures.samples, alone.figures.traced) == (10, 0)
    assert set(alone.figures.operations) == {"estimate", "integer"}


class Slow(Ended):
    """A check that ends only when it is waited for."""

    def poll(self) -> None:
        return None


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


class Interrupt(lightning.Callback):
    """Ctrl-C as an epoch starts, counted from 1."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        if trainer.current_epoch + 1 == self.epoch:
            raise KeyboardInterrupt


def resumed(run: Path) -> list[tuple[int, Verdict]]:
    """Continue a training with a check of every epoch: its checks."""
    checks = CrossCheck(run, every=1, samples=10, traced=1)
    train(RECIPE, run, resume=True, accelerator="cpu", callbacks=(checks,))
    checks.finish()
    assert checks.checks == read_checks(Run(run))
    assert not (run / SNAPSHOTS).exists()
    return [(c.epoch, c.verdict) for c in checks.checks]


GOOD = Verdict.PASSED if HAS_LAVA else Verdict.NO_LAVA


def test_a_check_that_an_interrupt_drops_is_recorded_and_the_training_continues(
    plain: Path, tmp_path: Path
):
    run = tmp_path / "run"
    checks = CrossCheck(run, every=2, samples=10, traced=1)
    with pytest.raises(UnfinishedError):
        train(RECIPE, run, accelerator="cpu", callbacks=(checks, Interrupt(3)))
    (dropped,) = read_checks(Run(run))
    assert (dropped.epoch, dropped.verdict) == (2, Verdict.DROPPED)
    assert "interrupted" in dropped.message
    assert not (run / SNAPSHOTS).exists()
    assert resumed(run) == [(2, Verdict.DROPPED), (3, GOOD)]
    assert (plain / "model.pt").read_bytes() == (run / "model.pt").read_bytes()


def test_ctrl_c_while_waiting_for_checks_keeps_the_training_and_those_that_ended(tmp_path: Path):
    """The command line, as a user stops it: the last line it has said is that it waits."""
    run = tmp_path / "run"
    features = 'architecture.features=[4, "pool", 6, "pool"]'
    options = ("--set", "epochs=3", "--set", features, "--cross-check", "1")
    command = [sys.executable, "-m", "arlif", "train", str(run), *options]
    said, kept = [], set()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as training:
        for line in training.stdout:
            said.append(line)
            if "Ctrl-C drops them" in line and not kept:  # said again where it comes in the middle
                kept = {path.name for path in run.iterdir()}
                os.killpg(training.pid, signal.SIGINT)
    assert training.returncode == 0
    assert kept >= {"model.pt", "training.json"}
    assert any("dropped" in line for line in said)
    checks = read_checks(Run(run))
    assert [c.epoch for c in checks] == [1, 2, 3]
    assert checks[-1].verdict is Verdict.DROPPED
    assert resumed(run) == [(c.epoch, c.verdict) for c in checks]
    assert set(in_tensorboard(run, "train_loss")) == {1, 2, 3}


KILLED = """
import json, os, sys, time
from pathlib import Path
import psutil
import pytorch_lightning as lightning
from arlif.base.plain_data import from_mapping
from arlif.training import Recipe, train
from hw_sim.crosscheck.callback import CrossCheck

class Kill(lightning.Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        while trainer.current_epoch == 2:
            processes = psutil.Process().children(recursive=True)
            if len(processes) >= int(sys.argv[3]):
                print(*(process.pid for process in processes), flush=True)
                os.kill(os.getpid(), 9)
            time.sleep(0.05)

run = Path(sys.argv[1])
checks = CrossCheck(run, every=2, samples=200, traced=200)
recipe = from_mapping(Recipe, json.loads(sys.argv[2]), "recipe")
train(recipe, run, accelerator="cpu", callbacks=(checks, Kill()))
"""


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_training_takes_its_check_along_and_continues(plain: Path, tmp_path: Path):
    run = tmp_path / "run"
    recipe, processes = json.dumps(to_mapping(RECIPE)), "3" if HAS_LAVA else "1"
    command = [sys.executable, "-c", KILLED, str(run), recipe, processes]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    left = [int(pid) for pid in done.stdout.split()]
    assert len(left) >= int(processes)
    deadline = time.monotonic() + 60
    while any(map(alive, left)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, left))
    assert (run / SNAPSHOTS / "2").exists()
    assert not (run / SNAPSHOTS / "2" / ANSWER).exists()
    other = Path(shutil.copytree(run, tmp_path / "other"))
    assert resumed(run) == [(2, Verdict.DROPPED), (3, GOOD)]
    assert (plain / "model.pt").read_bytes() == (run / "model.pt").read_bytes()
    train(replace(RECIPE, epochs=1), other, overwrite=True, accelerator="cpu")
    assert not (other / SNAPSHOTS).exists()


def test_checks_that_cannot_be_read_are_kept_and_cost_no_new_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    run = Run(tmp_path / "run")
    with pytest.raises(UnfinishedError):
        train(RECIPE, run.folder, accelerator="cpu", callbacks=(Interrupt(2),))
    of_another_version = json.dumps([{"epoch": 1, "result": "passed"}])
    run.path(CROSSCHECK).write_text(of_another_version)
    assert resumed(run.folder) == [(2, GOOD), (3, GOOD)]
    assert (run.folder / "crosscheck.old.json").read_text() == of_another_version
    assert f"are kept as {run.folder / 'crosscheck.old.json'}" in caplog.text


def test_a_folder_that_takes_no_samples_costs_no_earlier_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    run = Run(tmp_path / "run")
    with pytest.raises(UnfinishedError):
        train(RECIPE, run.folder, accelerator="cpu", callbacks=(Interrupt(3),))
    earlier = Check(1, Verdict.PASSED, "an earlier one")
    write_checks(run, [earlier])
    monkeypatch.setattr(callback, "write_samples", full)
    monkeypatch.setattr(callback, "CheckProcess", Ended)
    assert resumed(run.folder)[0] == (1, Verdict.PASSED)
