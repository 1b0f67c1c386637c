"""Runs: what they write, that they repeat, continue exactly, and refuse clearly."""

import dataclasses
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

import arlif
from arlif import data
from arlif.base.errors import ArlifError, WriteError
from arlif.networks import Stack
from arlif.training import Recipe, load_recipe, load_trained, parse_change, train
from arlif.training.accuracy import evaluate, finish
from arlif.training.batches import Batches
from arlif.training.metrics import Metrics, read_metrics
from arlif.training.module import TrainingModule, rate_factor

SMALL = Recipe("digits", Stack((4, "pool"), dropout=0.1), time_steps=2, epochs=3, batch_size=128)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "finished"
    return run, train(SMALL, run, accelerator="cpu")


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
    assert not list(run.glob("**/.*"))


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


def test_a_full_disk_is_always_answered_with_how_to_continue(tmp_path, monkeypatch):
    def full(self, row):
        raise WriteError("cannot write metrics.csv: No space left on device")

    monkeypatch.setattr(Metrics, "add", full)
    with pytest.raises(ArlifError, match=r"metrics\.csv: .*; make room; continue with resume"):
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


def test_an_existing_run_is_not_overwritten_by_accident(finished):
    run, _ = finished
    with pytest.raises(ArlifError, match="already holds a training run"):
        train(SMALL, run)
    assert (run / "model.pt").exists()


@pytest.mark.parametrize("rate", [1e6, 1e9])
def test_divergence_is_an_error_that_names_the_epoch(tmp_path, rate):
    recipe = dataclasses.replace(SMALL, optimizer="sgd", learning_rate=rate)
    with pytest.raises(ArlifError, match=r"diverged in epoch 1: .* learning_rate below 1000000"):
        train(recipe, tmp_path / "run", accelerator="cpu")
    assert not (tmp_path / "run" / "model.pt").exists()


def test_missing_data_leave_an_old_run_and_no_new_one(finished, tmp_path):
    run = _copy(finished[0], tmp_path)
    recipe = dataclasses.replace(SMALL, dataset="fashion-mnist")
    for folder in (run, tmp_path / "new"):
        with pytest.raises(ArlifError, match="fashion-mnist"):
            train(recipe, folder, overwrite=True, data_folder=tmp_path / "no-data")
    assert load_trained(run)[1] == SMALL
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (Stack((4, "pool", "pool", "pool", "pool")), "too small for 4 pools"),
        (Stack((4,), pooled=1_000_000), r"not enough memory \(you tried to allocate \d+ bytes"),
    ],
)
def test_a_network_that_cannot_be_built_leaves_an_old_run_and_no_new_one(
    finished, tmp_path, architecture, message
):
    run = _copy(finished[0], tmp_path)
    recipe = dataclasses.replace(SMALL, architecture=architecture)
    for folder in (run, tmp_path / "new"):
        with pytest.raises(ArlifError, match=message):
            train(recipe, folder, overwrite=True, accelerator="cpu")
    assert load_trained(run)[1] == SMALL
    assert not (tmp_path / "new").exists()


def test_a_batch_beyond_the_memory_is_one_clear_error(tmp_path, monkeypatch):
    def scarce(self, batch, index):
        torch.empty(1 << 60)

    monkeypatch.setattr(TrainingModule, "training_step", scarce)
    with pytest.raises(ArlifError, match=r"not enough memory .* lower batch_size or time_steps"):
        train(SMALL, tmp_path / "run", accelerator="cpu")


def test_resume_with_another_recipe_names_the_difference(finished):
    run, _ = finished
    other = dataclasses.replace(SMALL, seed=1, epochs=9)
    with pytest.raises(ArlifError, match=r"epochs, seed differ"):
        train(other, run, resume=True)


@pytest.mark.parametrize("devices", [0, -1, 129])
def test_an_impossible_number_of_devices_is_refused(tmp_path, devices):
    with pytest.raises(ArlifError, match=f"trains on 1 to 128 devices, not {devices}"):
        train(SMALL, tmp_path / "run", accelerator="cpu", devices=devices)


def test_a_run_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ArlifError, match="a run is a directory"):
        train(SMALL, tmp_path / "run", overwrite=True)


def test_a_batch_that_cannot_be_normalized_is_refused(tmp_path):
    recipe = dataclasses.replace(SMALL, architecture=Stack(hidden=(4,)), batch_size=1)
    with pytest.raises(ArlifError, match="more than one value per channel, got one; take a larger"):
        train(recipe, tmp_path / "run", accelerator="cpu")


def test_a_missing_run_is_named(tmp_path):
    with pytest.raises(ArlifError, match="there is no run"):
        load_trained(tmp_path / "nothing")


@pytest.mark.parametrize("size", [0, 1000])
def test_a_truncated_model_is_refused(finished, tmp_path, size):
    run = _copy(finished[0], tmp_path)
    content = (run / "model.pt").read_bytes()
    (run / "model.pt").write_bytes(content[:size])
    with pytest.raises(ArlifError, match="damaged"):
        load_trained(run)


def test_nan_in_weights_is_refused(finished, tmp_path):
    run = _copy(finished[0], tmp_path)
    weights = torch.load(run / "model.pt", weights_only=True)
    weights["head.bias"][3] = float("nan")
    torch.save(weights, run / "model.pt")
    with pytest.raises(ArlifError, match=r"head\.bias holds NaN"):
        load_trained(run)


@pytest.mark.parametrize("text", ["", "[1]", '{"dataset": "digits", "nonsense": 1}'])
def test_a_damaged_config_is_refused(finished, tmp_path, text):
    run = _copy(finished[0], tmp_path)
    (run / "config.json").write_text(text)
    with pytest.raises(ArlifError, match=r"config\.json"):
        load_trained(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs=0", "epochs must be at least 1"),
        ("time_steps=0", "at least 1 time step"),
        ("dataset=imagenet", "no dataset is called 'imagenet'"),
        ("neuron.name=lif", "no neuron is called 'lif'"),
        ("neuron.decay=2.0", r"decay k = 1 - 1/tau lies in \[0, 1\]"),
        ("epoch=3", "epoch: there is no such field"),
        ("learning_rate=fast", "learning_rate: input should be a valid number, not 'fast'"),
        ("dataset.name=x", "dataset holds a value"),
        ("epochs", "key=value"),
        ("learning_rate=1e308", r"learning_rate must be at most 1,000,000,000, not 1e\+308"),
        ("learning_rate=inf", "learning_rate: input should be a finite number, not inf"),
        ("neuron.v_threshold=inf", r"neuron\.v_threshold: input should be a finite number"),
        ("neuron.order=0", "order lies in 1 to 65,536, not 0"),
        ("time_steps=1000000000000", "at most 65,536, not 1000000000000"),
        ("accumulate=99999999999999999999", "accumulate must be at most 1,000,000,000, not 9999"),
        ("augmentation.crop=9223372036854775807", r"crop lies in \[0, 1024\], not 9223372"),
        ("augmentation.cutmix=1e-300", r"cutmix is 0 for none or at least 0\.001, not 1e-300"),
        ("architecture.hidden=[99999999999999]", "reach up to 1,048,576, not 99999999999999"),
        ("seed=2020-01-01", "2020-01-01 is a date; values are text, numbers"),
        ("seed=100000000000000000000000000", r"seed must be below 2\*\*63, not 1000"),
    ],
)
def test_wrong_values_in_a_recipe_are_named(change, message):
    with pytest.raises(ArlifError, match=message):
        load_recipe("digits", dict([parse_change(change)]))


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ArlifError, match=r"there are .*digits"):
        load_recipe("digit")


def test_changes_reach_nested_fields():
    recipe = load_recipe("digits", dict(map(parse_change, ["epochs=2", "neuron.name=lif-hard"])))
    assert recipe.epochs == 2
    assert recipe.neuron.name == "lif-hard"


def _copy(run: Path, target: Path) -> Path:
    copy = target / "run"
    copy.mkdir()
    for name in ("config.json", "model.pt"):
        (copy / name).write_bytes((run / name).read_bytes())
    return copy
