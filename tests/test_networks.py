"""Architectures: shapes, tracing, and what is refused."""

import pytest
import torch

from arlif import layers
from arlif.errors import ArlifError
from arlif.networks import NetworkConfig, Stack, build
from arlif.networks.neuron import NEURONS, NeuronConfig
from arlif.neurons import SpikingNeuron


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
    net = build(config(Stack((4, "pool", 6), (7,), global_pool=True)))
    graph = Tracer().trace(net)
    assert [node.op for node in graph.nodes].count("call_module") == len(list(net.children()))


def test_the_first_convolution_runs_once_per_image():
    net = build(config(Stack((4,)), steps=5))
    seen = []
    net.conv1.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[0]))
    assert net(torch.rand(1, 2, 1, 8, 8)).shape[0] == 5
    assert seen == [1]


def test_images_smaller_than_the_pools_are_refused():
    with pytest.raises(ArlifError, match="too small for 4 pools"):
        build(config(Stack((4, "pool", "pool", "pool", "pool"))))


@pytest.mark.parametrize(
    "bad", [lambda: Stack(("pool", 4)), lambda: Stack((0,)), lambda: Stack((4,), dropout=1.0)]
)
def test_impossible_stacks_are_refused(bad):
    with pytest.raises(ArlifError):
        bad()
