"""Trainings that stop and continue keep their checks: interrupts, kills, full disks."""

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

import psutil
import pytest
from filelock import FileLock, Timeout
from support.crosscheck_runs import (
    GOOD,
    HAS_LAVA,
    RECIPE,
    Ended,
    Interrupt,
    Slow,
    in_tensorboard,
    resumed,
)

from arlif.artifacts import SNAPSHOTS
from arlif.base.errors import UnfinishedError
from arlif.base.lock import LOCK
from arlif.base.plain_data import to_mapping
from arlif.run_folder import Run
from arlif.training import train
from hw_sim.crosscheck import callback
from hw_sim.crosscheck.background import ANSWER
from hw_sim.crosscheck.callback import CrossCheck
from hw_sim.crosscheck.result import CROSSCHECK, Check, Verdict, read_checks, write_checks

pytestmark = pytest.mark.timeout(900)  # checks run at the lowest priority on a busy machine


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
    assert any("dropped" in line for line in said), said
    checks = read_checks(Run(run))
    assert [c.epoch for c in checks] == [1, 2, 3]
    assert checks[-1].verdict is Verdict.DROPPED
    assert resumed(run) == [(c.epoch, c.verdict) for c in checks]
    assert set(in_tensorboard(run, "train_loss")) == {1, 2, 3}


class Final(Ended):
    """Ctrl-C comes while Python forgets this check: a KeyboardInterrupt would be lost there."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Endless(Ended):
    """A check that is dropped or never ends."""

    ended = False

    def __init__(self, folder: Path, time_limit_s: float) -> None:
        super().__init__(folder, time_limit_s)
        self.folder = folder

    def wait(self, seconds: float) -> None:
        assert not self.ended

    def end(self) -> None:
        self.ended = True


def test_no_ctrl_c_is_lost_between_two_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    checks = CrossCheck(tmp_path)
    for epoch in "12":
        folder = tmp_path / SNAPSHOTS / epoch
        folder.mkdir(parents=True)
        checks._waiting.append(folder)
    kinds = iter((Final, Endless))
    monkeypatch.setattr(callback, "CheckProcess", lambda *given: next(kinds)(*given))
    before = signal.getsignal(signal.SIGINT)
    checks._start()
    checks.finish()
    assert signal.getsignal(signal.SIGINT) is before
    found = [(c.epoch, c.verdict) for c in checks.checks]
    assert found == [(1, Verdict.FAILED), (2, Verdict.DROPPED)]
    assert not (tmp_path / SNAPSHOTS).exists()


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


def test_the_folder_is_held_while_checks_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Their figures go into files that other verbs write, too."""
    held: list[bool] = []

    class Look(Slow):
        def wait(self, seconds: float) -> Check:
            with suppress(Timeout), FileLock(tmp_path / LOCK, timeout=0):
                held.append(False)
            return super().wait(seconds)

    monkeypatch.setattr(callback, "CheckProcess", Look)
    checks = CrossCheck(tmp_path, every=1, samples=10, traced=1)
    train(replace(RECIPE, epochs=1), tmp_path, accelerator="cpu", callbacks=(checks,))
    checks.finish()
    assert [check.verdict for check in checks.checks] == [Verdict.FAILED]
    assert not held


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
    write_checks(run, [])
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
