"""Our count beside NeuroBench's own harness, to the digit."""

import numpy as np
import pytest
import torch
from torch import nn

from arlif import layers
from arlif.base.errors import ArlifError
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, Stack, build
from arlif.neurons import ARLIF, LIF, PSN
from arlif.neurons.recurrent import Recurrent
from hw_sim.energy.neurobench_figures import neurobench

T, N = 3, 7


def small(architecture, neuron, shape, static):
    net = build(NetworkConfig(architecture, NeuronConfig(neuron), shape, 4, T, static))
    weight = next(m.weight for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    with torch.no_grad():
        weight[0] = 0
    return net


def recurrent():
    return nn.Sequential(
        layers.Linear(12, 9),
        Recurrent(ARLIF(), layers.Linear(9, 9, bias=False)),
        layers.Linear(9, 4),
    )


NETWORKS = {
    "AR-LIF behind a pool": lambda: small(Stack((4, "pool", 6)), "arlif", (1, 8, 8), True),
    "LIF on frames": lambda: small(Stack((3, 5), (6,)), "lif-soft", (2, 6, 6), False),
    "residual": lambda: small(PreActResNet((4, 8), (1, 1)), "lif-hard", (3, 8, 8), True),
    "recurrent": recurrent,
    "CLIF, dense": lambda: small(Stack((), (8, 8)), "clif", (1, 1, 20), False),
    "LIF trained in parallel": lambda: small(Stack((), (8, 8)), "lif-fpt", (1, 1, 20), False),
}
SHAPES = {
    "AR-LIF behind a pool": (1, N, 1, 8, 8),
    "LIF on frames": (T, N, 2, 6, 6),
    "residual": (1, N, 3, 8, 8),
    "recurrent": (T, N, 12),
    "CLIF, dense": (T, N, 1, 1, 20),
    "LIF trained in parallel": (T, N, 1, 1, 20),
}


@pytest.mark.parametrize("batch_size", [3, 7])
@pytest.mark.parametrize("name", NETWORKS)
def test_our_count_is_the_harness_own(name, batch_size):
    harness = pytest.importorskip("support.neurobench_twin").harness
    torch.manual_seed(1)
    net = NETWORKS[name]().eval()
    real = torch.randn(SHAPES[name]).relu().mul(2).round()
    labels = np.random.default_rng(0).integers(0, 4, N)
    ours = neurobench(net, real, labels, T, batch_size)
    theirs = harness(net, real, labels, T, batch_size)
    assert ours == theirs
    operations = ours["SynapticOperations"]
    assert 0 < operations["Effective_MACs"] + operations["Effective_ACs"] < operations["Dense"]
    assert 0 < ours["ActivationSparsity"] < 1
    assert ours["MembraneUpdates"] > 0


def test_what_has_no_membrane_has_no_updates():
    net = nn.Sequential(layers.Linear(5, 6), PSN(T), layers.Linear(6, 4))
    found = neurobench(net, torch.randn(T, N, 5), np.zeros(N, np.int64), T, 7)
    assert found["MembraneUpdates"] == 0


def test_counts_by_hand():
    """Two inputs, one of them 0.5 at the second step; a weight of 0; LIF that never fires."""
    net = nn.Sequential(layers.Linear(2, 3, bias=False), LIF(0.5, 100.0), layers.Linear(3, 2))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]]))
    real = torch.tensor([[[1.0, 0.0]], [[0.5, 1.0]]])
    found = neurobench(net, real, np.array([0]), 2, 1)
    assert found["SynapticOperations"] == {
        "Effective_ACs": 2.0,  # the first step: input 0 has two weights
        "Effective_MACs": 4.0,  # the second: both inputs have two each
        "Dense": 2 * (6 + 6),
    }
    assert found["ActivationSparsity"] == 1.0
    assert found["MembraneUpdates"] == 3 + 2  # neuron 0 stays at 1 = 0.5 x 1 + 0.5
    assert found["ParameterCount"] == 6 + 6 + 2
    assert found["Footprint"] == 4 * 14
    assert found["ConnectionSparsity"] == round(2 / 12, 4)


def test_what_cannot_be_counted_is_refused():
    net = nn.Sequential(layers.Linear(5, 6), LIF(), layers.Linear(6, 4))
    with pytest.raises(ArlifError, match="7 samples need as many labels"):
        neurobench(net, torch.randn(T, N, 5), np.zeros(3, np.int64), T, 7)

    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(0)

    behind = nn.Sequential(layers.Linear(5, 6), LIF(), Mean(), nn.Linear(6, 4))
    with pytest.raises(ArlifError, match=r"3 takes \(7, 6\), which has no time"):
        neurobench(behind, torch.randn(T, N, 5), np.zeros(N, np.int64), T, 7)
