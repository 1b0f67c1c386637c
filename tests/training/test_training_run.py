"""Runs: what they write, that they repeat and continue exactly."""

import dataclasses
import errno
import json
import shlex
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import torch
from support.training_runs import SMALL

import arlif
from arlif import data
from arlif.base.errors import ArlifError, WriteError
from arlif.base.lock import LOCK
from arlif.training import load_trained, train
from arlif.training.accuracy import evaluate, finish
from arlif.training.batches import Batches
from arlif.training.metrics import Metrics, read_metrics
from arlif.training.module import TrainingModule, rate_factor


def test_a_run_holds_what_it_promises(finished):
    run, summary = finished
    for name in (
        "config.json",
        "metrics.csv",
        "model.pt",
        "training.json",
        "checkpoints/best.ckpt",
    ):
        assert (run / name).exists(), name
    rows = read_metrics(run)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert summary.best_accuracy == max(row["test_accuracy"] for row in rows)
    assert summary.last_accuracy == rows[-1]["test_accuracy"]
    about = json.loads((run / "training.json").read_text())
    assert (about["seed"], about["device"], about["devices"]) == (SMALL.seed, "cpu", 1)
    assert (about["arlif"], about["numpy"]) == (arlif.__version__, np.__version__)
    assert about["command"] == shlex.join(sys.argv)
    assert 0 < rows[0]["rate/neuron1"] < 1
    assert rows[-1]["beta/neuron1"] != 0
    assert [path.name for path in run.glob("**/.*")] == [LOCK]


def test_the_loaded_network_answers_as_measured(finished):
    run, summary = finished
    net, recipe = load_trained(run)
    assert recipe == SMALL
    assert not net.training
    digits = data.load("digits")
    result = evaluate(net, digits.info, Batches(digits.test, 100))
    assert result.accuracy == pytest.approx(summary.last_accuracy, abs=1 / 450)
    assert result.confusion.sum() == 450


def test_a_killed_run_continued_equals_an_uninterrupted_one(finished, tmp_path, monkeypatch):
    run, summary = finished
    original = TrainingModule.training_step

    def dies_in_third_epoch(self, batch, index):
        if self.current_epoch == 2 and index == 4:
            raise RuntimeError("killed")
        return original(self, batch, index)

    monkeypatch.setattr(TrainingModule, "training_step", dies_in_third_epoch)
    with pytest.raises(RuntimeError, match="killed"):
        train(SMALL, tmp_path / "run", accelerator="cpu")
    with pytest.raises(ArlifError, match="--resume"):
        load_trained(tmp_path / "run")
    monkeypatch.undo()
    resumed = train(SMALL, tmp_path / "run", resume=True, accelerator="cpu")
    want = load_trained(run)[0].state_dict()
    for name, value in load_trained(tmp_path / "run")[0].state_dict().items():
        assert torch.equal(value, want[name]), name
    strip = {"seconds": 0.0}
    assert [row | strip for row in read_metrics(tmp_path / "run")] == [
        row | strip for row in read_metrics(run)
    ]
    assert resumed.best_epoch == summary.best_epoch


def test_checkpoints_are_written_beside_their_target(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    train(SMALL, tmp_path / "run", accelerator="cpu")
    assert {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()} == {
        "best.ckpt",
        "last.ckpt",
    }


def test_a_moved_run_keeps_its_best_checkpoint(tmp_path, monkeypatch):
    accuracies = iter((0.9, 0.5, 0.4))

    def evaluated(total, layers):
        return dataclasses.replace(finish(total, layers), confusion=_confusion(next(accuracies)))

    original = TrainingModule.on_train_epoch_start

    def stops(self):
        if self.current_epoch == 2:
            raise KeyboardInterrupt
        original(self)

    monkeypatch.setattr("arlif.training.module.finish", evaluated)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "on_train_epoch_start", stops)
        with pytest.raises(ArlifError, match="stopped after epoch 2"):
            train(SMALL, tmp_path / "run", accelerator="cpu")
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    before = (moved / "checkpoints" / "best.ckpt").read_bytes()
    train(SMALL, moved, resume=True, accelerator="cpu")
    assert (moved / "checkpoints" / "best.ckpt").read_bytes() == before
    assert not (tmp_path / "run").exists()


def _confusion(accuracy: float):
    confusion = np.zeros((10, 10), np.int64)
    confusion[0, 0] = round(100 * accuracy)
    confusion[0, 1] = 100 - confusion[0, 0]
    return confusion


def test_mixed_precision_accumulation_and_sgd_train(tmp_path):
    recipe = dataclasses.replace(
        SMALL, precision="bf16", accumulate=3, optimizer="sgd", learning_rate=0.2, batch_size=32
    )
    summary = train(recipe, tmp_path / "run", accelerator="cpu")
    rows = read_metrics(tmp_path / "run")
    assert rows[-1]["train_loss"] < 0.8 * rows[0]["train_loss"]
    epochs_begin = [0.2 * rate_factor(epoch, 3, 0) for epoch in range(3)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(epochs_begin)
    assert summary.last_accuracy > 0.5


def test_resuming_a_finished_run_changes_nothing(finished):
    run, summary = finished
    assert train(SMALL, run, resume=True, accelerator="cpu") == summary


def test_ctrl_c_keeps_what_was_done(tmp_path, monkeypatch):
    def interrupted(self, batch, index):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)
    with pytest.raises(ArlifError, match="stopped after epoch 0 of 3; continue with resume"):
        train(SMALL, tmp_path / "run", accelerator="cpu")


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EFBIG, "make room"),
        (errno.EACCES, "make its files writable"),
        (errno.EROFS, "make its files writable"),
    ],
)
def test_a_full_disk_is_always_answered_with_how_to_continue(tmp_path, monkeypatch, number, cure):
    """Whatever words the system has for it."""

    def full(self, row):
        raise WriteError("cannot write metrics.csv: nix", number)

    monkeypatch.setattr(Metrics, "add", full)
    with pytest.raises(ArlifError, match=rf"metrics\.csv: nix; {cure}; continue with resume"):
        train(SMALL, tmp_path / "run", accelerator="cpu")


FULL_DISK = """
import resource, sys
from pathlib import Path
from arlif.base.errors import ArlifError
from arlif.networks import Stack
from arlif.training import Recipe, train
import pytorch_lightning

recipe = Recipe("digits", Stack((16, "pool")), time_steps=2, epochs=1, batch_size=128)
resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, resource.RLIM_INFINITY))
try:
    train(recipe, Path(sys.argv[1]), accelerator="cpu")
except ArlifError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(train(recipe, Path(sys.argv[1]), resume=True, accelerator="cpu").epochs, "epoch")
"""


@pytest.mark.slow
def test_a_full_disk_is_named_and_the_run_continues(tmp_path):
    """A limit on the size of files stands for the full disk: checkpoints cannot be written."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    first, last = done.stdout.strip().splitlines()
    assert first.startswith("training ")
    assert first.endswith("make room; continue with resume (--resume)")
    assert last == "1 epoch"
