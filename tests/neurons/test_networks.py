"""Architectures: shapes, tracing, and what is refused."""

import math

import pytest
import torch
from torch import nn

from arlif import layers
from arlif.base.errors import ArlifError
from arlif.networks import (
    NetworkConfig,
    NeuronConfig,
    PreActResNet,
    ResNet19,
    Stack,
    build,
    summarize,
)
from arlif.networks.neuron_choice import NEURONS
from arlif.neurons import ARLIF, SpikingNeuron
from arlif.quantize import linearize
from arlif.training import load_recipe, recipe_names


class Tracer(torch.fx.Tracer):
    def is_leaf_module(self, module, name):
        return isinstance(module, SpikingNeuron) or module.__class__.__module__ == layers.__name__


def config(architecture, neuron="arlif", shape=(1, 8, 8), steps=3, static=True):
    return NetworkConfig(architecture, NeuronConfig(neuron), shape, 10, steps, static)


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("static", [True, False])
def test_a_stack_maps_frames_to_logits_for_every_neuron(neuron, static):
    net = build(config(Stack((4, "pool", 6), (7,), dropout=0.1), neuron, static=static))
    x = torch.rand(1 if static else 3, 2, 1, 8, 8)
    logits = net(x)
    assert logits.shape == (3, 2, 10)
    logits.sum().backward()
    for name, parameter in net.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_networks_are_traceable_with_layers_as_leaves():
    net = build(config(Stack((4, "pool", 6), (7,), pooled=1)))
    graph = Tracer().trace(net)
    assert [node.op for node in graph.nodes].count("call_module") == len(list(net.children()))


SMALL_RESNETS = [
    PreActResNet((4, 8), (2, 1), dropout=0.1),
    ResNet19((4, 8), (1, 1), dropout=0.1),
]


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("architecture", SMALL_RESNETS)
def test_residual_networks_map_frames_to_logits_and_every_weight_learns(architecture, static):
    net = build(config(architecture, "lif-soft", static=static))
    logits = net(torch.rand(1 if static else 3, 2, 1, 8, 8))
    assert logits.shape == (3, 2, 10)
    logits.square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize("architecture", SMALL_RESNETS)
def test_every_shortcut_starts_at_spikes(architecture):
    """Sources of sums, followed back through shortcut convolutions, are neurons."""
    net = build(config(architecture))
    graph = Tracer().trace(net)
    modules = dict(net.named_modules())
    sums = [node for node in graph.nodes if node.op == "call_function"]
    assert len(sums) == sum(architecture.blocks)
    for node in sums:
        source = node.args[1]
        while not isinstance(modules[source.target], SpikingNeuron):
            assert "shortcut" in source.target
            source = source.args[0]


def summary_of(recipe):
    return summarize(load_recipe(recipe).network())


def test_flops_are_those_of_table_3():
    assert summary_of("cifar10-dvs-vggsnn-t4").flops == pytest.approx(2724e6, rel=0.002)
    assert summary_of("dvs128-gesture-vgg11-t20").flops == pytest.approx(4872e6, rel=0.002)


def test_resnet18_has_its_published_size():
    resnet = summary_of("cifar10-resnet18-t4")
    assert resnet.parameters == pytest.approx(11.2e6, rel=0.005)
    convolutions = [layer for layer in resnet.layers if layer.kind == "Conv2d"]
    assert len(convolutions) == 17 + 3
    assert resnet.neurons * 4 == pytest.approx(2.23e6, rel=0.005)


def test_resnet19_has_its_published_size():
    net = NetworkConfig(ResNet19(), NeuronConfig(), (3, 32, 32), 10, 4, static=True)
    assert summarize(net).parameters == pytest.approx(12.63e6, rel=0.005)


def test_the_first_convolution_runs_once_per_image():
    net = build(config(Stack((4,)), steps=5))
    seen = []
    net.conv1.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[0]))
    assert net(torch.rand(1, 2, 1, 8, 8)).shape[0] == 5
    assert seen == [1]


def test_dense_layers_start_narrow_where_asked():
    torch.manual_seed(0)
    net = build(config(Stack((4,), (64,), dense_std=0.01)))
    for dense in (net.dense2, net.head):
        assert 0.008 < dense.weight.std() < 0.012
        assert not dense.bias.any()


def test_pools_in_a_row_all_count_and_are_shown():
    shape = config(Stack((4, "pool", "pool", 8, "pool")))
    assert build(shape)(torch.rand(1, 2, 1, 8, 8)).shape == (3, 2, 10)
    shown = {layer.name: layer.output for layer in summarize(shape).layers}
    assert [shown[name] for name in ("pool1", "pool1_2", "pool2")] == [
        (4, 4, 4),
        (4, 2, 2),
        (8, 1, 1),
    ]


def test_images_smaller_than_the_pools_are_refused():
    with pytest.raises(ArlifError, match="too small for 4 pools"):
        build(config(Stack((4, "pool", "pool", "pool", "pool"))))


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Stack(("pool", 4)),
        lambda: Stack(),
        lambda: Stack((0,)),
        lambda: Stack((4,), dropout=1.0),
        lambda: Stack((4,), dense_std=-0.1),
        lambda: Stack((4,), dense_std=math.inf),
        lambda: Stack((1 << 21,)),
        lambda: Stack((4,), pooled=1 << 21),
        lambda: NeuronConfig("lif-soft", v_threshold=math.inf),
        lambda: NeuronConfig("lif-soft", width=math.inf),
        lambda: NeuronConfig("lif-soft", order=0),
        lambda: PreActResNet((4,), (1001,)),
        lambda: PreActResNet((4, 8), (1,)),
        lambda: ResNet19((4,), (0,)),
    ],
)
def test_impossible_stacks_are_refused(bad):
    with pytest.raises(ArlifError):
        bad()


def test_every_recipe_builds_for_its_dataset():
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.network().time_steps == recipe.time_steps
    steps = {name: load_recipe(name).time_steps for name in recipe_names()}
    assert all(name.endswith(f"t{t}") for name, t in steps.items() if "-t" in name)


def test_a_dense_network_takes_flattened_frames():
    net = build(config(Stack(hidden=(5,)), shape=(1, 1, 700), static=False))
    assert net(torch.rand(3, 2, 1, 1, 700)).shape == (3, 2, 10)


def test_dropout_keeps_one_mask_over_all_time_steps():
    torch.manual_seed(1)
    dropout = layers.Dropout(0.25)
    x = torch.ones(5, 8, 400)
    out = dropout(x)
    assert torch.equal(out, out[:1].expand_as(out))
    assert not torch.equal(out[0, 0], out[0, 1])
    assert out.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert out.mean().item() == pytest.approx(1, abs=0.05)
    assert dropout.eval()(x) is x


def test_dropout_vanishes_from_integers():
    parts = (layers.Linear(6, 4), ARLIF(), layers.Linear(4, 2))
    net = nn.Sequential(*parts[:2], layers.Dropout(0.5), parts[2]).eval()
    linear = linearize(net, (6,))
    assert len(linear.populations) == 1
    (term,) = linear.readout.terms
    weight = torch.as_tensor(term.synapses.weight).float()
    torch.testing.assert_close(weight, parts[2].weight.detach())
