"""Stages: the first epochs train a cheaper network with the same parameters."""

import dataclasses
import json

import pytest
import torch
from torch import nn

from arlif import data
from arlif.base.errors import ArlifError
from arlif.layers import Repeat
from arlif.networks import Airbench, NeuronConfig, Stack, build
from arlif.neurons import SpikingNeuron
from arlif.quantize.finetune import finetuning
from arlif.training import Recipe, load_recipe, load_trained, train
from arlif.training.metrics import read_metrics
from arlif.training.module import TrainingModule
from arlif.training.schedule import Stage
from arlif.training.stages import staged

RECIPE = Recipe(
    "digits",
    Airbench((4, 6)),
    time_steps=3,
    train_per_class=20,
    test_per_class=10,
    epochs=4,
    batch_size=50,
    stages=(Stage(1, clipped=True), Stage(2, time_steps=2)),
    optimizer="muon",
    learning_rate=0.1,
    label_smoothing=0.1,
)


def network():
    torch.manual_seed(0)
    return build(RECIPE.network()).eval()


def test_every_epoch_has_its_stage():
    found = [RECIPE.stage(epoch) for epoch in range(5)]
    assert found == [RECIPE.stages[0], RECIPE.stages[1], RECIPE.stages[1], None, None]
    assert RECIPE.staged_epochs == 3


def test_a_stage_shows_fewer_steps_and_leaves_the_network_as_it_was():
    net, x = network(), torch.rand(1, 2, 1, 8, 8)
    whole = net(x)
    with staged(net, Stage(1, time_steps=2)):
        assert torch.equal(net(x), whole[:2])
    assert torch.equal(net(x), whole)


def test_clipped_currents_stand_in_for_spikes():
    net, x = network(), torch.rand(1, 2, 1, 8, 8)
    spiking, names = net(x), [name for name, _ in net.named_parameters()]
    by_hand = nn.Sequential(
        *(
            nn.Hardtanh(0, 1) if isinstance(m, SpikingNeuron) else m
            for m in net.children()
            if not isinstance(m, Repeat)
        )
    )
    with staged(net, Stage(1, clipped=True)):
        assert torch.equal(net(x), by_hand(x))
        assert not [m for m in net.modules() if isinstance(m, SpikingNeuron)]
    assert [name for name, _ in net.named_parameters()] == names
    assert torch.equal(net(x), spiking)


def fail(net, stage):
    with staged(net, stage):
        raise ZeroDivisionError


def test_an_error_in_a_stage_gives_the_network_back():
    net, x = network(), torch.rand(1, 2, 1, 8, 8)
    spiking = net(x)
    with pytest.raises(ZeroDivisionError):
        fail(net, Stage(1, clipped=True))
    assert torch.equal(net(x), spiking)


def test_gradients_reach_what_a_stage_trains_and_no_neuron():
    net = network().train()
    with staged(net, Stage(1, clipped=True)):
        logits = net(torch.rand(1, 8, 1, 8, 8))
    logits.square().sum().backward()
    without = {n for n, p in net.named_parameters() if p.grad is None and p.requires_grad}
    assert without == {n for n, _ in net.named_parameters() if n.endswith("_raw")}


@pytest.fixture(scope="module")
def staged_run(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "staged"
    return run, train(RECIPE, run, accelerator="cpu")


def test_the_rates_of_neurons_begin_with_neurons_and_the_best_epoch_behind_stages(staged_run):
    run, summary = staged_run
    rows = read_metrics(run)
    assert ["rate/neuron" in row for row in rows] == [False, True, True, True]
    assert rows[0]["beta/neuron"] == 0 != rows[-1]["beta/neuron"]
    assert (summary.best_epoch, summary.best_accuracy) == (4, rows[3]["test_accuracy"])
    best = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] == 3
    assert json.loads((run / "config.json").read_text())["stages"][0]["clipped"]


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_stopped_in_a_stage_continues_bit_for_bit(staged_run, tmp_path, monkeypatch, epoch):
    original = TrainingModule.training_step

    def dies(self, batch, index):
        if (self.current_epoch, index) == (epoch, 2):
            raise RuntimeError("killed")
        return original(self, batch, index)

    monkeypatch.setattr(TrainingModule, "training_step", dies)
    with pytest.raises(RuntimeError, match="killed"):
        train(RECIPE, tmp_path / "run", accelerator="cpu")
    monkeypatch.undo()
    train(RECIPE, tmp_path / "run", resume=True, accelerator="cpu")
    want = load_trained(staged_run[0])[0].state_dict()
    for name, value in load_trained(tmp_path / "run")[0].state_dict().items():
        assert torch.equal(value, want[name]), name


def test_fine_tuning_knows_no_stages_and_no_muon():
    found = finetuning(RECIPE, 1)
    assert (found.stages, found.optimizer, found.learning_rate) == ((), "adamw", 2e-4)
    assert found.batch_size == 64
    plain = dataclasses.replace(RECIPE, optimizer="sgd", stages=())
    assert finetuning(plain, 1).learning_rate == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 3}, "stages take 3 of 3 epochs, and at least one must be left"),
        ({"compile": True}, "leave out compile"),
        ({"dataset": "nmnist", "architecture": Stack((4,))}, "nmnist is recordings"),
        ({"neuron": NeuronConfig("psn")}, "psn needs all time steps"),
        ({"architecture": Stack(hidden=(4,), recurrent=True)}, "feed themselves"),
        ({"label_smoothing": 1.0}, r"label_smoothing lies in \[0, 1\), not 1.0"),
    ],
)
def test_what_cannot_be_staged_is_refused(changes, message):
    with pytest.raises(ArlifError, match=message):
        dataclasses.replace(RECIPE, **changes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 1, False), "at least 1 epoch, not 0"),
        ((1, 0, False), "1 to 65,536 time steps, not 0"),
        ((1, 2, True), "know no time: time_steps of such a stage is 1, not 2"),
    ],
)
def test_stages_check_themselves(values, message):
    with pytest.raises(ArlifError, match=message):
        Stage(*values)


def test_stages_train_on_one_device(tmp_path):
    with pytest.raises(ArlifError, match="in stages runs on one device, not 2"):
        train(RECIPE, tmp_path / "run", accelerator="cpu", devices=2)
    assert not (tmp_path / "run").exists()


def test_the_fast_recipe_has_stages_that_grow():
    recipe = load_recipe("cifar10-fast")
    assert [stage.time_steps for stage in recipe.stages] == sorted(
        stage.time_steps for stage in recipe.stages
    )
    assert recipe.stages[0].clipped
    assert recipe.time_steps == 4
    assert data.describe(recipe.dataset).static
