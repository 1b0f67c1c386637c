"""The process of a check: its priority, its end, its death, and what it says without Lava."""

import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.crosscheck_runs import RECIPE

from arlif.data import Split, load
from arlif.networks import build
from hw_sim.crosscheck import process
from hw_sim.crosscheck.process import CheckProcess
from hw_sim.crosscheck.result import Verdict
from hw_sim.crosscheck.task import SAMPLES, Task, run_task, write_samples, write_task

pytestmark = pytest.mark.timeout(900)  # checks run at the lowest priority on a busy machine


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
    while (check := running.wait(0.2)) is None:
        pass
    assert "longer than 0 s" in check.message
    assert running.process.returncode == -signal.SIGKILL


def test_a_check_sees_samples_of_every_class_even_where_they_are_sorted(tmp_path: Path):
    dataset = load("digits")
    order = np.argsort(dataset.test.labels, kind="stable")
    ordered = Split(dataset.test.inputs[order], dataset.test.labels[order])
    write_samples(tmp_path, replace(dataset, test=ordered), 20)
    with np.load(tmp_path / SAMPLES) as stored:
        assert np.bincount(stored["labels"]).tolist() == [2] * 10
        assert len(set(stored["labels"][:8])) == 8
        assert stored["inputs"].shape[0] == 20


def test_a_killed_check_says_so_and_what_it_logged_last(tmp_path: Path):
    folder = tmp_path / "7"
    folder.mkdir()
    running = CheckProcess(folder, time_limit_s=60.0)
    running.process.kill()
    running.process.wait()
    (folder / process.LOG).write_text("UserWarning: nothing to do with it\n")
    message = running.wait(0.2).message
    assert message.startswith("the check was killed by SIGKILL; is memory short?")
    assert message.endswith("its log ends with: UserWarning: nothing to do with it")


def test_without_lava_no_sample_was_on_lava(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hw_sim.crosscheck.snapshot.has_lava", lambda: False)
    dataset = load("digits")
    write_samples(tmp_path, dataset, 10)
    net = build(RECIPE.network())
    write_task(tmp_path / "1", Task(1, RECIPE, 4, 60.0), net.state_dict())
    alone = run_task(tmp_path / "1")
    assert alone.verdict is Verdict.NO_LAVA
    assert alone.figures is not None
    assert (alone.figures.samples, alone.figures.traced) == (10, 0)
    assert set(alone.figures.operations) == {"estimate", "integer"}
