"""Integer networks learn: every parameter has a gradient, and accuracy on integers rises."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, images
from support.user_neurons import Adaptive
from torch import nn
from torch.utils.data import TensorDataset

from arlif import data, layers
from arlif.arithmetic.surrogates import STANDARD
from arlif.base.errors import ArlifError, LoweringError
from arlif.core.equality import fingerprint
from arlif.core.neuron import Neuron
from arlif.data import Dataset
from arlif.neurons import LIF
from arlif.neurons.layer import NeuronLayer
from arlif.quantize import Precision, QatNetwork, calibrate_input, linearize, quantize
from arlif.quantize.finetune import finetune, finetuning
from arlif.quantize.qat_neurons import QatNeuron
from arlif.quantize.trained import load_quantizable
from arlif.training import load_recipe, train
from arlif.training.loss import tet_loss
from export.nir import read_nir
from hw_sim.cli import main
from hw_sim.engines.integer.fast import simulate

SHAPE = (1, 8, 8)


def qat_network(weight_bits: int = 4) -> QatNetwork:
    linear = linearize(conv_net(), SHAPE)
    source = calibrate_input(np.ones(SHAPE), SHAPE, static=True)
    return QatNetwork(linear, source, Precision(weight_bits=weight_bits), 4)


def test_every_parameter_has_a_gradient() -> None:
    network = qat_network()
    logits = network(images(SHAPE, 8))
    assert logits.shape == (4, 8, 10)
    tet_loss(logits, torch.eye(10)[:8]).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(torch.isfinite(parameter.grad).all()), name
        assert bool(parameter.grad.any()), name


@pytest.mark.filterwarnings("ignore")
def test_accuracy_on_integers_rises() -> None:
    digits = data.load("digits", None, 4)
    small = Dataset(digits.info, digits.train.subset(60), digits.test.subset(20))
    recipe = finetuning(load_recipe("digits", {"learning_rate": 0.05, "batch_size": 32}), 4)
    network = qat_network()
    accuracy = finetune(network, recipe, small, "cpu")
    assert accuracy > 0.5
    quantized = network.quantized()
    real = digits.info.network_input(torch.from_numpy(small.test.inputs))
    got = simulate(quantized, quantized.input.encode(real[0].numpy()), 4)
    assert (got.decisions == small.test.labels).mean() == pytest.approx(accuracy)


@pytest.mark.filterwarnings("ignore")
def test_a_torch_dataset_trains_it_and_one_of_five_judges() -> None:
    digits = data.load("digits", None, 4).train.subset(20)
    pairs = TensorDataset(torch.from_numpy(digits.inputs), torch.from_numpy(digits.labels))
    recipe = finetuning(load_recipe("digits", {"learning_rate": 0.05, "batch_size": 32}), 2)
    network = qat_network()
    before = network.quantized()
    accuracy = finetune(network, recipe, pairs, "cpu")
    assert fingerprint(before) != fingerprint(network.quantized())
    assert 40 * accuracy == pytest.approx(round(40 * accuracy), abs=1e-4)  # 40 of 200 judge


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (TensorDataset(torch.rand(10, 3), torch.arange(10)), "must have the shape"),
        (TensorDataset(torch.rand(10, 1, 8, 8)), "not a pair"),
        (TensorDataset(torch.rand(10, 1, 8, 8), torch.arange(10) + 5), "not 5 to 14"),
        (iter([]), "a length and items, not list_iterator"),
    ],
)
def test_a_torch_dataset_that_does_not_fit_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ArlifError, match=message):
        finetune(qat_network(), finetuning(load_recipe("digits"), 1), wrong, "cpu")


def test_training_starts_at_the_post_training_network() -> None:
    """Where float32 holds the parameters exactly, as for a LIF network without batch norm."""
    torch.manual_seed(0)
    net = nn.Sequential(
        layers.Conv2d(1, 6, 3, padding=1),
        layers.Repeat(4),
        LIF(),
        layers.Flatten(),
        layers.Linear(384, 10),
    )
    linear = linearize(net, SHAPE)
    source, precision = calibrate_input(np.ones(SHAPE), SHAPE, static=True), Precision()
    trainable = QatNetwork(linear, source, precision, 4)
    assert trainable.quantized() == quantize(linear, source, precision, 4)


def test_neurons_without_integers_are_refused() -> None:
    class Squared(Neuron):
        """A product of two states is no operation of integers."""

        state = ("u",)

        def step(self, ops, state, x):
            return ops.fire(ops.multiply(state.u, state.u) + x, 1), (x,)

    with pytest.raises(LoweringError, match="used as a factor"):
        QatNeuron(Squared(), (3,), STANDARD)


class Own(nn.Module):
    """A network of a user's neurons."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = layers.Linear(64, 40), layers.Linear(40, 10)
        self.neurons = NeuronLayer(Adaptive(), (40,))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.neurons(self.into(x.flatten(2))))


def test_a_users_neuron_learns_per_channel_on_integers() -> None:
    torch.manual_seed(0)
    source = calibrate_input(np.ones(SHAPE), SHAPE, static=False)
    network = QatNetwork(linearize(Own(), SHAPE), source, Precision(weight_bits=4), 4)
    inputs, labels = torch.rand(4, 60, *SHAPE), torch.eye(10)[torch.arange(60) % 10]
    start = network.quantized().populations[0].neuron
    optimizer, losses = torch.optim.Adam(network.parameters(), 0.02), []
    for _ in range(25):
        optimizer.zero_grad()
        loss = tet_loss(network(inputs).float(), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    trained = network.quantized().populations[0].neuron
    assert trained.constants["strength"].shape == (40,)
    assert np.unique(trained.constants["strength"]).size > 10
    assert np.unique(start.constants["strength"]).size == 1


def test_the_command_trains_on_what_the_recipe_trained_on(tmp_path: Path) -> None:
    train(load_recipe("digits", {"train_per_class": 3, "epochs": 1}), tmp_path, accelerator="cpu")
    with pytest.raises(SystemExit) as stop:
        main(["quantize", str(tmp_path), "--qat", "1", "--weight-bits", "4", "--json"])
    assert not stop.value.code
    ready = load_quantizable(tmp_path, None)
    network = QatNetwork(ready.linear, ready.source, Precision(weight_bits=4), 4)
    finetune(network, finetuning(ready.recipe, 1), ready.recipe.load_data(), "cpu")
    assert read_nir(tmp_path / "network.nir") == network.quantized()
