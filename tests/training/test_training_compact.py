"""Keeping less for the backward pass changes memory, not results."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile

from arlif.base.errors import ArlifError
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, ResNet19, Stack, build
from arlif.networks.neuron_choice import NEURONS
from arlif.training import Recipe
from arlif.training.compact import compact

ARCHITECTURES = (
    Stack((4, "pool", 6), (7,), dropout=0.2, feature_dropout=0.1),
    PreActResNet((4, 8), (2, 1), dropout=0.1),
    ResNet19((4, 8), (1, 2)),
)


def network(architecture, neuron, steps, static=True):
    return build(NetworkConfig(architecture, NeuronConfig(neuron), (3, 8, 8), 10, steps, static))


def results(net, forward, x, autocast):
    """Logits, gradients of x and of every parameter, running statistics."""
    torch.manual_seed(5)
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = forward(x)
    logits.float().square().sum().backward()
    return [logits, x.grad, *(p.grad for p in net.parameters()), *net.buffers()]


@settings(max_examples=40)
@given(
    architecture=st.sampled_from(ARCHITECTURES),
    neuron=st.sampled_from(sorted(NEURONS)),
    steps=st.integers(1, 3),
    static=st.booleans(),
    channels_last=st.booleans(),
    autocast=st.booleans(),
    training=st.booleans(),
)
def test_results_are_equal(architecture, neuron, steps, static, channels_last, autocast, training):
    torch.manual_seed(3)
    net = network(architecture, neuron, steps, static).train(training)
    if channels_last:
        net = net.to(memory_format=torch.channels_last)
    other = copy.deepcopy(net)
    x = torch.rand(1 if static else steps, 5, 3, 8, 8)
    forward = compact(other)
    for _ in range(2):
        want, got = results(net, net, x, autocast), results(other, forward, x, autocast)
        for a, b in zip(want, got, strict=True):
            assert (a is None) == (b is None)
            assert a is None or torch.equal(a, b)


def kept_bytes(net, forward, x):
    """What is allocated in a forward pass and still there behind it."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        alive = forward(x)
    del alive
    return sum(event.self_cpu_memory_usage for event in profiler.key_averages())


def test_less_than_half_is_kept():
    net, x = network(PreActResNet((16, 32), (2, 2)), "arlif", 4), torch.rand(1, 8, 3, 8, 8)
    assert 0 < kept_bytes(net, compact(net), x) < 0.5 * kept_bytes(net, net, x)


def test_nothing_stays_behind_on_the_network():
    net = network(ARCHITECTURES[0], "arlif", 2)
    compact(net)(torch.rand(1, 5, 3, 8, 8))
    assert not any(module._forward_hooks for module in net.modules())


def test_the_recipe_refuses_it_beside_compile():
    with pytest.raises(ArlifError, match="leave out compact"):
        Recipe("digits", Stack((4,)), compact=True, compile=True)
