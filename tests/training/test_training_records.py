"""What a run records of every epoch: metrics.csv, TensorBoard's events, the confusion matrix."""

import csv
import dataclasses
import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.full_disk import files_end_at
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from arlif import data
from arlif.base.errors import ArlifError, WriteError
from arlif.networks import Stack
from arlif.networks.neuron_choice import NeuronConfig
from arlif.training import Recipe, load_trained, plots, train
from arlif.training.accuracy import evaluate
from arlif.training.augment import Augmentation
from arlif.training.batches import Batches
from arlif.training.checkpoints import read_checkpoint, save
from arlif.training.metrics import Metrics, read_metrics
from arlif.training.scalars import Scalars

SMALL = Recipe("digits", Stack((4, "pool")), time_steps=2, epochs=3, batch_size=64)


def trained(run, **changes):
    train(dataclasses.replace(SMALL, **changes), run, accelerator="cpu")
    return read_metrics(run)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "finished"
    trained(run)
    return run


def test_the_training_accuracy_is_that_of_the_batches(finished):
    rows = read_metrics(finished)
    seen = 21 * 64  # the incomplete last batch is dropped
    for row in rows:
        assert row["train_accuracy"] * seen == pytest.approx(round(row["train_accuracy"] * seen))
    assert rows[0]["train_accuracy"] < rows[-1]["train_accuracy"] <= 1
    net, recipe = load_trained(finished)
    train_split = evaluate(net, data.describe("digits"), Batches(recipe.load_data().train, 64))
    assert rows[-1]["train_accuracy"] == pytest.approx(train_split.accuracy, abs=0.1)
    _, axes = plots.learning_curves(finished).axes
    assert [line.get_label() for line in axes.lines] == ["train", "test"]
    assert {line.get_marker() for line in axes.lines}.isdisjoint("o")


def test_mixed_samples_have_no_training_accuracy(tmp_path):
    rows = trained(tmp_path, epochs=1, augmentation=Augmentation(mixup=0.2))
    assert "train_accuracy" not in rows[0]
    _, axes = plots.learning_curves(tmp_path).axes
    assert [line.get_label() for line in axes.lines] == ["test"]
    for figure in (plots.learning_curves(tmp_path), plots.learned(tmp_path)):
        lines = [line for part in figure.axes for line in part.lines]
        assert {line.get_marker() for line in lines} == {"o"}  # a line of one epoch shows nothing


def test_the_last_epochs_confusion_is_kept(finished):
    with (finished / "confusion.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == [row[0] for row in rows] == list("0123456789")
    net, recipe = load_trained(finished)
    want = evaluate(net, data.describe("digits"), Batches(recipe.load_data().test, 64)).confusion
    assert np.array_equal(np.array([row[1:] for row in rows], int), want)


@pytest.mark.parametrize(
    ("neuron", "symbols"),
    [
        ("dalif", ["alpha", "beta"]),
        ("plif", ["decay"]),
        ("lif-learnable", ["v_reset"]),
        ("lif-asgl", ["steepness", "decay"]),
        ("psn-mpe", ["threshold"]),
        ("psn-sliding", ["threshold"]),
        ("lif-soft", []),
    ],
)
def test_what_a_neuron_learns_is_recorded(tmp_path, neuron, symbols):
    rows = trained(tmp_path, epochs=2, neuron=NeuronConfig(neuron))
    assert plots.learned_symbols(rows[0]) == symbols
    layer = load_trained(tmp_path)[0].get_submodule("neuron1")
    assert list(layer.learned()) == symbols
    for symbol, value in layer.learned().items():
        assert rows[-1][f"{symbol}/neuron1"] == pytest.approx(value.item())
        assert rows[0][f"{symbol}/neuron1"] != rows[-1][f"{symbol}/neuron1"]
    if symbols:
        assert len(plots.learned(tmp_path).axes) == len(symbols)


def test_tensorboard_reads_the_same_values(finished):
    read = EventAccumulator(str(finished / "tensorboard")).Reload()
    for name in ("train_loss", "test_accuracy", "alpha/neuron1"):
        values = [(event.step, event.value) for event in read.Scalars(name)]
        rows = read_metrics(finished)
        assert values == [(row["epoch"], pytest.approx(row[name])) for row in rows]


def test_tensorboard_shows_the_recipe(finished):
    read = EventAccumulator(str(finished / "tensorboard")).Reload()
    (event,) = read.Tensors("recipe/text_summary")
    text = event.tensor_proto.string_val[0].decode()
    recipe = json.loads(text.removeprefix("```json").removesuffix("```"))
    assert recipe == json.loads((finished / "config.json").read_text())
    assert read.summary_metadata["recipe/text_summary"].plugin_data.plugin_name == "text"


def test_epochs_are_written_as_whole_numbers(finished):
    with (finished / "metrics.csv").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]


def test_steps_that_are_written_again_replace_the_old_ones(tmp_path):
    first = Scalars(tmp_path, 1)
    first.add(1, {"loss": 3.0})
    first.add(2, {"loss": 2.0})
    Scalars(tmp_path, 2).add(2, {"loss": 1.0})
    read = EventAccumulator(str(tmp_path)).Reload()
    assert [event.value for event in read.Scalars("loss")] == [3, 1]


def test_no_room_for_events_is_an_error_that_names_the_file(tmp_path):
    scalars = Scalars(tmp_path, 1)
    with (
        files_end_at(scalars.path.stat().st_size),
        pytest.raises(WriteError, match=rf"{scalars.path.name}: File too large"),
    ):
        scalars.add(1, {"loss": 1.0})


def test_no_room_for_events_stops_a_training_in_one_line(tmp_path, monkeypatch):
    original = Path.open

    def full(self, *args, **kwargs):
        if self.parent.name == "tensorboard":
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    message = r"cannot write .*tfevents.*: No space left on device; make room; continue with resume"
    with pytest.raises(ArlifError, match=message):
        trained(tmp_path / "run")


def cut(text):
    return lambda file: file.write_text(text)


def edited(file):
    """The best epoch is another one."""
    text = file.read_text()
    file.write_text(text.replace(",0.", ",0.9", 1))


DAMAGES = [
    (lambda file: file.unlink(), "holds 0 of the 3 epochs that were trained; put the whole"),
    (cut(""), "holds 0 of the 3 epochs"),
    (lambda file: file.write_text("".join(file.read_text().splitlines(True)[:2])), "holds 1 o"),
    (cut("epoch,train_loss\n1,many\n"), "is damaged: it is no table"),
    (cut("epoch,train_loss\n1,0.5\n"), "is damaged"),
    (cut("epoch\n1,2,3\n"), "is damaged"),
    (lambda file: file.write_bytes(b"\xff\xfe\x00"), "is damaged"),
    (edited, "was changed after it was written"),
]


@pytest.mark.parametrize("damage", [damage for damage, _ in DAMAGES[::3]] + [edited])
def test_a_damaged_record_is_written_again_from_the_checkpoint(finished, tmp_path, damage):
    """What `arlif train RUN --resume` is named as the cure for."""
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    for name in ("metrics.csv", "confusion.csv"):
        damage(run / name)
    assert train(SMALL, run, resume=True, accelerator="cpu").epochs == 3
    for name in ("metrics.csv", "confusion.csv"):
        assert (run / name).read_bytes() == (finished / name).read_bytes()


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_a_damaged_record_beside_an_earlier_arlifs_checkpoint_is_named(
    finished, tmp_path, damage, message
):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    without(run / "checkpoints/last.ckpt")
    assert train(SMALL, run, resume=True, accelerator="cpu").epochs == 3
    damage(run / "metrics.csv")
    with pytest.raises(ArlifError, match=r"metrics\.csv " + message):
        train(SMALL, run, resume=True, accelerator="cpu")
    assert torch.load(run / "model.pt", weights_only=True)


def without(checkpoint, **changes):
    """The checkpoint as an earlier arlif wrote it; with another record where one is given."""
    content = read_checkpoint(checkpoint, sealed=True)
    del content["record"]
    save(content | changes, checkpoint, sealed=True)


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"rows": [], "confusion": None},
        {"rows": [{"epoch": 1.0}] * 3, "confusion": None},
        {"rows": 3, "confusion": None},
        {"rows": [], "confusion": [[1]], "more": 1},
    ],
)
def test_a_record_that_no_training_leaves_is_refused(finished, tmp_path, record):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    without(run / "checkpoints/last.ckpt", record=record)
    with pytest.raises(ArlifError, match=r"last\.ckpt"):
        train(SMALL, run, resume=True, accelerator="cpu")
    assert (run / "metrics.csv").read_bytes() == (finished / "metrics.csv").read_bytes()


def test_a_run_that_starts_anew_has_no_use_for_what_lies_there(tmp_path):
    (tmp_path / "metrics.csv").write_text("damaged")
    assert Metrics(tmp_path).rows == []


def test_an_evaluation_draws_the_same_and_leaves_the_generator(tmp_path):
    trained(tmp_path, epochs=1, neuron=NeuronConfig("psn-mpe"))
    net, recipe = load_trained(tmp_path)
    batches = Batches(recipe.load_data().test, 64)
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        results.append(evaluate(net, data.describe("digits"), batches))
        assert torch.equal(torch.get_rng_state(), before)
    assert results[0].loss == results[1].loss
    assert np.array_equal(results[0].confusion, results[1].confusion)
    assert read_metrics(tmp_path)[-1]["test_loss"] == pytest.approx(results[0].loss, rel=1e-5)


def test_figures_of_a_deep_network_hide_nothing(tmp_path):
    layers = [f"stage{number}.neuron" for number in range(30)]
    names = [f"{what}/{layer}" for what in ("alpha", "beta", "rate") for layer in layers]
    header = ["epoch", "train_loss", "test_loss", "test_accuracy", "learning_rate", "seconds"]
    with (tmp_path / "metrics.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*header, *names])
        table.writerows([epoch, 1, 1, 0.5, 0.1, 9, *[0.1 * epoch] * 90] for epoch in (1, 2))
    neurons = {f"a neuron with a long name, {number}": tmp_path for number in range(6)}
    for figure in (plots.learned(tmp_path), plots.spike_rates(neurons)):
        figure.draw_without_rendering()
        (legend,) = (found.get_window_extent() for found in figure.legends)
        assert not any(legend.overlaps(axes.get_tightbbox()) for axes in figure.axes)
        assert figure.bbox.x0 <= legend.x0 < legend.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= legend.y0 < legend.y1 <= figure.bbox.y1
    colours = [line.get_color() for line in plots.learned(tmp_path).axes[0].lines]
    assert len({tuple(colour) for colour in colours}) == len(layers)
