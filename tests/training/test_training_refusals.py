"""What training and loading refuse, by name, and that an old run survives it."""

import dataclasses
import math
import shutil

import pytest
import pytorch_lightning as lightning
import torch
from support.training_runs import SMALL, copy_run

from arlif.base.errors import ArlifError, UnfinishedError
from arlif.layers import Flatten
from arlif.networks import Stack
from arlif.training import load_trained, train
from arlif.training.checkpoints import read_checkpoint, save
from arlif.training.module import TrainingModule

BEST = "EpochCheckpoint{'monitor': 'finished_accuracy'"
"""How the key of a checkpoint begins below which the best epoch is noted."""


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
    run = copy_run(finished[0], tmp_path)
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
    run = copy_run(finished[0], tmp_path)
    recipe = dataclasses.replace(SMALL, architecture=architecture)
    for folder in (run, tmp_path / "new"):
        with pytest.raises(ArlifError, match=message):
            train(recipe, folder, overwrite=True, accelerator="cpu")
    assert load_trained(run)[1] == SMALL
    assert not (tmp_path / "new").exists()


def test_a_network_that_cannot_run_leaves_an_old_run(finished, tmp_path, monkeypatch):
    run = copy_run(finished[0], tmp_path)

    def fails(self, spikes):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(Flatten, "forward", fails)
    for folder in (run, tmp_path / "new"):
        with pytest.raises(RuntimeError, match="shapes do not fit"):
            train(SMALL, folder, overwrite=True, accelerator="cpu")
    monkeypatch.undo()
    assert load_trained(run)[1] == SMALL
    assert not (tmp_path / "new").exists()


def test_logits_of_another_shape_leave_an_old_run(finished, tmp_path, monkeypatch):
    run = copy_run(finished[0], tmp_path)
    monkeypatch.setattr(Flatten, "forward", lambda self, spikes: spikes.mean((-1, -2))[:1])
    recipe = dataclasses.replace(SMALL, architecture=Stack((4,), pooled=1))
    with pytest.raises(ArlifError, match=r"of one sample \(2, 1, 10\), not \(1, 1, 10\)"):
        train(recipe, run, overwrite=True, accelerator="cpu")
    assert load_trained(run)[1] == SMALL


def test_a_batch_beyond_the_memory_is_one_clear_error(tmp_path, monkeypatch):
    def scarce(self, batch, index):
        torch.empty(1 << 60)

    monkeypatch.setattr(TrainingModule, "training_step", scarce)
    with pytest.raises(ArlifError, match=r"not enough memory .* lower batch_size or time_steps"):
        train(SMALL, tmp_path / "run", accelerator="cpu")


def test_a_run_is_continued_or_replaced_not_both(finished):
    with pytest.raises(ArlifError, match="give one"):
        train(SMALL, finished[0], resume=True, overwrite=True)


def test_resume_with_another_recipe_names_the_difference(finished):
    run, _ = finished
    other = dataclasses.replace(SMALL, seed=1, epochs=9)
    with pytest.raises(ArlifError, match=r"epochs, seed differ"):
        train(other, run, resume=True)


@pytest.mark.parametrize("devices", [0, -1, 129])
def test_an_impossible_number_of_devices_is_refused(tmp_path, devices):
    with pytest.raises(ArlifError, match=f"trains on 1 to 128 devices, not {devices}"):
        train(SMALL, tmp_path / "run", accelerator="cpu", devices=devices)


def test_a_training_goes_on_with_as_many_devices_only(finished, tmp_path):
    run = shutil.copytree(finished[0], tmp_path / "run")
    with pytest.raises(ArlifError, match=r"trained on 1 devices so far.*devices = 1 \(--devices\)"):
        train(SMALL, run, resume=True, accelerator="cpu", devices=2)
    assert load_trained(run)[1] == SMALL


def test_a_checkpoint_of_another_run_is_not_continued(finished, tmp_path):
    run = shutil.copytree(finished[0], tmp_path / "run")
    checkpoint = run / "checkpoints" / "last.ckpt"
    content = read_checkpoint(checkpoint, sealed=True)
    save(content | {"recipe": content["recipe"] | {"seed": 7}}, checkpoint, sealed=True)
    with pytest.raises(
        ArlifError, match=r"last.ckpt is of a run with another recipe \(seed differ"
    ):
        train(SMALL, run, resume=True, accelerator="cpu")
    earlier = {key: value for key, value in content.items() if key != "recipe"}
    save(earlier, checkpoint, sealed=True)
    assert train(SMALL, run, resume=True, accelerator="cpu").epochs == SMALL.epochs


class Stop(lightning.Callback):
    """Ctrl-C in the second epoch."""

    def on_train_batch_start(self, trainer, module, batch, index):
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A training that has finished one epoch of three."""
    run = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.raises(UnfinishedError):
        train(SMALL, run, accelerator="cpu", callbacks=(Stop(),))
    return run


@pytest.mark.parametrize("more", [0, 1])
def test_another_number_of_threads_is_warned_of(stopped, tmp_path, caplog, more):
    run = shutil.copytree(stopped, tmp_path / "run")
    checkpoint, now = run / "checkpoints" / "last.ckpt", torch.get_num_threads()
    content = read_checkpoint(checkpoint, sealed=True)
    assert content["threads"] == now
    save(content | {"threads": now + more}, checkpoint, sealed=True)
    with pytest.raises(UnfinishedError, match="stopped after epoch 1"):
        train(SMALL, run, resume=True, accelerator="cpu", callbacks=(Stop(),))
    told = f"trained on {now + 1} threads so far, and {now} go on to weights that differ in last "
    told += f"bits; for the same ones start with OMP_NUM_THREADS={now + 1}"
    assert caplog.messages == [told] * more


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("epoch",), -1),
        (("threads",), "2"),
        (("epoch",), True),
        (("devices",), torch.zeros(2)),
        (("recipe",), 3),
        (("recipe", "seed"), torch.zeros(2, 2)),
        (("state_dict",), 5),
        (("state_dict", "net.neuron1.alpha_raw"), None),
        (("optimizer_states", 0, "state", 0, "exp_avg"), 0.5),
        (("optimizer_states", 0, "state", 0, "exp_avg"), torch.zeros(3)),
        (("optimizer_states", 0, "state", 0), {}),
        (("optimizer_states", 0, "param_groups", 0, "weight_decay"), 0.5),
        (("optimizer_states", 0, "param_groups", 0, "lr"), 0.5),
        (("optimizer_states", 0, "param_groups", 0, "params", 2), 0),
        (("lr_schedulers", 0, "base_lrs"), [0.5]),
        (("lr_schedulers", 0, "last_epoch"), 0),
        (("loops", "fit_loop"), None),
        (("loops", "fit_loop", "epoch_progress", "current", "processed"), 2),
        (("callbacks",), []),
        (("callbacks", BEST, "kth_value"), torch.zeros(0)),
        (("callbacks", BEST, "best_model_score"), "0.5"),
        (("callbacks", BEST, "best_k_models"), {"best.ckpt": torch.zeros(2)}),
    ],
)
def test_a_checkpoint_that_no_training_left_is_not_continued(stopped, tmp_path, place, value):
    """Sealed anew, so that only what it holds tells it."""
    run = shutil.copytree(stopped, tmp_path / "run")
    checkpoint = run / "checkpoints" / "last.ckpt"
    content = read_checkpoint(checkpoint, sealed=True)
    part = content
    for key in place[:-1]:
        part = part[next(name for name in part if name.startswith(BEST)) if key == BEST else key]
    part[place[-1]] = value
    save(content, checkpoint, sealed=True)
    with pytest.raises(ArlifError, match=r"last\.ckpt") as caught:
        train(SMALL, run, resume=True, accelerator="cpu")
    assert "\n" not in str(caught.value)


def test_more_processes_than_cores_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2})
    with pytest.raises(ArlifError, match=r"9 devices are processes on 3 cores .*; take at most 3"):
        train(SMALL, tmp_path / "run", accelerator="cpu", devices=9)
    assert not (tmp_path / "run").exists()


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
    run = copy_run(finished[0], tmp_path)
    content = (run / "model.pt").read_bytes()
    (run / "model.pt").write_bytes(content[:size])
    with pytest.raises(ArlifError, match="damaged"):
        load_trained(run)


@pytest.mark.parametrize(("name", "value"), [("head.bias", math.nan), ("bn1.running_var", -0.5)])
def test_weights_that_no_training_leaves_are_refused(finished, tmp_path, name, value):
    run = copy_run(finished[0], tmp_path)
    weights = torch.load(run / "model.pt", weights_only=True)
    weights[name][3] = value
    torch.save(weights, run / "model.pt")
    with pytest.raises(ArlifError, match=rf"{name} holds NaN, infinity or a variance below 0"):
        load_trained(run)


@pytest.mark.parametrize("text", ["", "[1]", '{"dataset": "digits", "nonsense": 1}'])
def test_a_damaged_config_is_refused(finished, tmp_path, text):
    run = copy_run(finished[0], tmp_path)
    (run / "config.json").write_text(text)
    with pytest.raises(ArlifError, match=r"config\.json"):
        load_trained(run)
