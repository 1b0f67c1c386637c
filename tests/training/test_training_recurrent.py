"""Hidden layers that feed themselves: every neuron, their names and rates, what is refused."""

import copy

import pytest
import torch
from support.places import SUPPORT
from torch import nn

from arlif import data
from arlif.base.errors import ArlifError
from arlif.layers import Dropout, Linear
from arlif.networks import NetworkConfig, NeuronConfig, Stack, build, summarize
from arlif.networks.neuron_choice import NEURONS
from arlif.neurons import ARLIF
from arlif.neurons.recurrent import GIVEN, Connection, Loop, Recurrent, spiking_layers
from arlif.quantize import linearize
from arlif.training import load_recipe
from arlif.training.accuracy import evaluate
from arlif.training.batches import Batches
from arlif.training.compact import compact

PARALLEL = ("psn", "psn-masked", "psn-sliding", "psn-mpe", "lif-fpt")
OWN = f"{SUPPORT / 'user_neurons.py'}:Adaptive"


def config(architecture, neuron="arlif", static=False):
    return NetworkConfig(architecture, NeuronConfig(neuron), (1, 3, 4), 10, 5, static)


def network(neuron="arlif", static=False, **options):
    torch.manual_seed(4)
    net = build(config(Stack(hidden=(7, 6), recurrent=True, **options), neuron, static))
    for norm in (net.bn1, net.bn2):
        nn.init.constant_(norm.weight, 3.0)  # currents that every neuron fires at
    return net


@pytest.mark.parametrize(
    "neuron", [*(name for name in NEURONS if name not in PARALLEL), pytest.param(OWN, id="own")]
)
@pytest.mark.parametrize("static", [True, False])
def test_every_neuron_with_a_step_feeds_itself_and_learns(neuron, static):
    net = network(neuron, static, dropout=0.1)
    logits = net(3 * torch.rand(1 if static else 5, 8, 1, 3, 4))
    assert logits.shape == (5, 8, 10)
    logits.square().sum().backward()
    for name, parameter in net.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
    for layer in (net.neuron1, net.neuron2):
        (back,) = (c for c in layer.connections if c.delay)
        assert back.delay == 1
        assert back.layer.bias is None
        assert back.layer.weight.grad.any()


@pytest.mark.parametrize("neuron", PARALLEL)
def test_neurons_without_a_step_are_refused_by_name(neuron):
    kind = type(NEURONS[neuron](NeuronConfig(), 5)).__name__
    with pytest.raises(ArlifError, match=f"{kind} computes all time steps at once"):
        network(neuron)


def test_only_hidden_layers_are_recurrent():
    with pytest.raises(ArlifError, match="give hidden a size"):
        Stack((4,), recurrent=True)
    net = build(config(Stack((4, "pool"), (5,), recurrent=True)))
    assert isinstance(net.neuron1, ARLIF)
    assert isinstance(net.neuron2, Recurrent)


@pytest.mark.parametrize("features", [(), (4,)])
def test_dropout_drops_spikes_and_not_the_input(features):
    net = build(config(Stack(features, hidden=(5, 10), dropout=0.1)))
    parts = list(net.children())
    dropped = [parts[n + 1] for n, part in enumerate(parts) if isinstance(part, Dropout)]
    assert len(dropped) == 2 + len(features)
    assert dropped[-1] is net.head
    dense = [part for part in parts if isinstance(part, nn.Linear)]
    assert dropped == (dense if features else dense[1:])


def by_hand(net, x):
    """Spikes of both hidden layers, one step after another."""
    found, states, back = [[], []], [None, None], [0, 0]
    for frame in x:
        value = frame.flatten(1)[None]
        for index, number in enumerate("12"):
            loop = net.get_submodule(f"neuron{number}")
            dense = net.get_submodule(f"dense{number}")
            current = net.get_submodule(f"bn{number}")(dense(value)) + back[index]
            value, states[index] = loop.neurons["neuron"](current, states[index], True)
            back[index] = value @ loop.layers[1].weight.t()
            found[index].append(value)
    return [torch.cat(spikes) for spikes in found]


@torch.no_grad()
def test_layers_and_rates_are_those_of_the_populations():
    net = network()
    net(9 * torch.rand(5, 30, 1, 3, 4))
    net.eval()
    assert tuple(spiking_layers(net)) == ("neuron1", "neuron2")
    assert [p.name for p in linearize(net, (1, 3, 4)).populations] == ["neuron1", "neuron2"]
    inputs = torch.randint(0, 9, (21, 5, 1, 3, 4), dtype=torch.uint8).numpy()
    labels = torch.arange(21) % 10
    info = data.DatasetInfo("noise", (1, 3, 4), tuple("0123456789"), False, "none")
    split = data.Split(inputs, labels.numpy())
    result = evaluate(net, info, Batches(split, 8))
    spikes = by_hand(net, info.network_input(torch.from_numpy(inputs)))
    for number, (name, rate) in enumerate(result.rates.items()):
        assert 0.02 < rate < 0.98, name
        assert rate == pytest.approx(spikes[number].double().mean().item())


def test_loops_of_several_layers_name_each():
    neurons = {"one": ARLIF(), "two": ARLIF()}
    connections = (
        Connection(GIVEN, "one", nn.Identity()),
        Connection("one", "two", Linear(3, 3)),
        Connection("two", "one", Linear(3, 3), 1),
    )
    net = nn.Sequential(Linear(4, 3), Loop(neurons, connections, "two"), Linear(3, 2)).eval()
    assert list(spiking_layers(net)) == ["1.one", "1.two"]
    assert [p.name for p in linearize(net, (4,)).populations] == ["1_one", "1_two"]


def test_a_recurrent_layer_counts_its_weights():
    counts = [
        sum(layer.macs for layer in summarize(load_recipe(name).network()).layers)
        for name in ("fsdd", "fsdd-feedforward")
    ]
    assert counts == [32 * 128 + 128 * 128 + 128 * 10] * 2


def test_the_recipes_of_sound_are_those_that_were_measured():
    recurrent, plain = load_recipe("fsdd"), load_recipe("fsdd-feedforward")
    for recipe in (recurrent, plain):
        assert (recipe.dataset, recipe.time_steps) == ("fsdd", 32)
        assert (recipe.epochs, recipe.batch_size, recipe.warmup_epochs) == (12, 64, 1)
        assert recipe.optimizer == "adamw"
        assert (recipe.learning_rate, recipe.weight_decay) == (3e-3, 0.01)
        assert (recipe.mean_logits, recipe.logit_scale, recipe.mse_weight) == (True, 5.0, 0.0)
        assert recipe.neuron == NeuronConfig("arlif", decay=0.8, v_threshold=1.0, width=1.0)
        assert not recipe.augmentation.mixes
    assert recurrent.architecture == Stack(hidden=(128,), dropout=0.2, recurrent=True)
    assert plain.architecture == Stack(hidden=(128, 128), dropout=0.2)


@pytest.mark.parametrize("training", [True, False])
def test_keeping_less_for_the_backward_pass_gives_the_same(training):
    net = network().train(training)
    other, x = copy.deepcopy(net), 3 * torch.rand(5, 8, 1, 3, 4)
    want, got = net(x), compact(other)(x)
    assert torch.equal(want, got)
    for logits in (want, got):
        logits.square().sum().backward()
    for (name, p), q in zip(net.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad), name
