"""Memory layout and torch.compile change how fast a network trains, not what it computes."""

import copy
import dataclasses
import os
import subprocess
import sys

import pytest
import torch

from arlif import data
from arlif.data import Split
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, Stack, build
from arlif.training import Recipe, load_trained, train
from arlif.training.batches import Batches
from arlif.training.compiled import compiled
from arlif.training.metrics import read_metrics
from arlif.training.module import TrainingModule

RECIPE = Recipe("digits", Stack((4, "pool")), time_steps=2, epochs=2, batch_size=128)


def network(architecture, neuron="arlif"):
    torch.manual_seed(3)
    return build(
        NetworkConfig(architecture, NeuronConfig(neuron), (3, 8, 8), 10, 3, static=True)
    ).double()


def gradients(net, forward, x):
    net.zero_grad()
    logits = forward(x)
    logits.square().sum().backward()
    return logits.detach(), {name: p.grad.clone() for name, p in net.named_parameters()}


def assert_computes_the_same(net, other, forward):
    x = torch.rand(1, 6, 3, 8, 8, dtype=torch.float64)
    want, want_gradients = gradients(net, net, x)
    got, got_gradients = gradients(other, forward, x)
    assert float(want.abs().sum()) > 0
    assert torch.allclose(got, want, rtol=1e-9, atol=1e-12)
    for name, gradient in want_gradients.items():
        assert torch.allclose(got_gradients[name], gradient, rtol=1e-7, atol=1e-9), name


@pytest.mark.parametrize("neuron", ["arlif", "lif-hard", "clif", "psn"])
@pytest.mark.parametrize(
    "architecture", [Stack((4, "pool", 6), (7,)), PreActResNet((4, 8), (2, 1))]
)
def test_channels_last_computes_the_same(architecture, neuron):
    net = network(architecture, neuron)
    other = copy.deepcopy(net).to(memory_format=torch.channels_last)
    assert_computes_the_same(net, other, other)


# torch's compiler warns of torch's own jit and of what it does with autograd functions.
TORCH_WARNS = pytest.mark.filterwarnings(r"ignore:.*(torch\.jit|should not be):DeprecationWarning")


@pytest.mark.slow
@TORCH_WARNS
@pytest.mark.parametrize("neuron", ["arlif", "plif"])
def test_a_compiled_network_computes_the_same(neuron):
    net = network(Stack((4, "pool", 6), (7,)), neuron)
    other = copy.deepcopy(net)
    assert_computes_the_same(net, other, compiled(other))


def test_the_recipe_decides_the_layout():
    digits = data.load("digits")
    for wanted in (False, True):
        recipe = dataclasses.replace(
            RECIPE, channels_last=wanted, architecture=Stack((4, "pool", 5))
        )
        module = TrainingModule(build(recipe.network()), recipe, digits)
        weight = module.net.conv2.weight
        assert weight.is_contiguous(memory_format=torch.channels_last) == wanted


@pytest.mark.parametrize(
    ("keep", "world", "sizes"),
    [
        (False, 1, [40, 40]),
        (True, 1, [40, 40, 10]),
        (True, 3, [14, 14, 4]),
        (True, 11, [4, 4]),
    ],
)
def test_the_last_batch_is_kept_where_every_process_has_some_of_it(keep, world, sizes):
    digits = data.load("digits").train
    split = Split(digits.inputs[:90], digits.labels[:90])
    batches = Batches(split, 40, (1, 2), 0, world, keep)
    got = [len(labels) for _, labels in batches]
    assert (got, len(batches)) == (sizes, len(sizes))
    others = [Batches(split, 40, (1, 2), rank, world, keep) for rank in range(world)]
    assert sum(len(labels) for b in others for _, labels in b) == (90 if len(sizes) == 3 else 80)


def test_the_learning_rate_of_an_epoch_is_kept_over_its_steps(tmp_path):
    digits = data.load("digits")
    factors = {}
    for per in ("step", "epoch"):
        recipe = dataclasses.replace(RECIPE, rate_per=per, epochs=4, warmup_epochs=0)
        module = TrainingModule(build(recipe.network()), recipe, digits)
        module.train_dataloader = lambda: range(5)
        schedule = module.configure_optimizers()["lr_scheduler"]["scheduler"]
        (factors[per],) = ([f(step) for step in range(20)] for f in schedule.lr_lambdas)
    assert factors["epoch"] == [factors["step"][step // 5 * 5] for step in range(20)]
    assert len({*factors["step"]}) == 20


def test_a_run_with_channels_last_learns_the_same(tmp_path):
    train(RECIPE, tmp_path / "plain", accelerator="cpu")
    train(dataclasses.replace(RECIPE, channels_last=True), tmp_path / "last", accelerator="cpu")
    plain, last = (read_metrics(tmp_path / name)[-1] for name in ("plain", "last"))
    assert last["train_loss"] == pytest.approx(plain["train_loss"], rel=0.02)


@pytest.mark.slow
@TORCH_WARNS
def test_a_compiled_run_continues_exactly(tmp_path, monkeypatch):
    recipe = dataclasses.replace(RECIPE, compile=True, channels_last=True)
    train(recipe, tmp_path / "whole", accelerator="cpu")
    plain = train(RECIPE, tmp_path / "plain", accelerator="cpu")
    original = TrainingModule.training_step

    def dies_in_second_epoch(self, batch, index):
        if self.current_epoch == 1:
            raise RuntimeError("killed")
        return original(self, batch, index)

    monkeypatch.setattr(TrainingModule, "training_step", dies_in_second_epoch)
    with pytest.raises(RuntimeError, match="killed"):
        train(recipe, tmp_path / "run", accelerator="cpu")
    monkeypatch.undo()
    train(recipe, tmp_path / "run", resume=True, accelerator="cpu")
    want = load_trained(tmp_path / "whole")[0].state_dict()
    for name, value in load_trained(tmp_path / "run")[0].state_dict().items():
        assert torch.equal(value, want[name]), name
    rows = read_metrics(tmp_path / "whole")
    assert rows[-1]["train_loss"] == pytest.approx(
        read_metrics(tmp_path / "plain")[-1]["train_loss"], rel=0.02
    )
    assert rows[0].keys() == read_metrics(tmp_path / "plain")[0].keys()
    assert plain.epochs == 2


@pytest.mark.slow
def test_without_a_compiler_one_line_says_so(tmp_path):
    arguments = ("train", str(tmp_path / "run"), "--set", "compile=true", "--set", "epochs=1")
    done = subprocess.run(
        [sys.executable, "-m", "arlif", *arguments],
        env=os.environ | {"CXX": "no-such-compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: torch.compile cannot compile the network here")
    assert done.stderr.count("\n") == 1
