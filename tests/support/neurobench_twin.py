"""A network as NeuroBench's harness takes it: one time step a call, neurons that are snnTorch's."""

import copy

import snntorch
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
from neurobench.metrics.workload import (
    ActivationSparsity,
    ClassificationAccuracy,
    MembraneUpdates,
    SynapticOperations,
)
from neurobench.models import NeuroBenchModel
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from arlif.layers import Repeat
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import Loop


class StepNeuron(snntorch.SpikingNeuron):
    """A neuron of ours that keeps its state between calls; its potential is snnTorch's mem."""

    init_hidden, output, stepwise = True, False, True

    def __init__(self, neuron):
        nn.Module.__init__(self)
        self.neuron, self.state = neuron, None

    @property
    def mem(self):
        return None if self.state is None else self.state[0]

    def forward(self, x, state=None, return_state=False):
        spikes, self.state = self.neuron(x, self.state, True)
        return (spikes, self.state) if return_state else spikes


class StepLoop(nn.Module):
    """A loop of ours, one step a call."""

    def __init__(self, loop):
        super().__init__()
        self.loop, self.state = loop, None

    def forward(self, x):
        spikes, self.state = self.loop(x, self.state, True)
        return spikes


class Twin(NeuroBenchModel):
    """net: of ours over [T, N, ...]; the harness gives [N, T, ...]."""

    def __init__(self, net, frame):
        super().__init__()
        net(frame)  # loops learn their shapes
        self.net = replaced(copy.deepcopy(net)).eval()
        self.add_activation_module(snntorch.SpikingNeuron)

    def __net__(self):
        return self.net

    def __call__(self, batch):
        for module in self.net.modules():
            if isinstance(module, StepNeuron | StepLoop):
                module.state = None
        with torch.no_grad():
            return torch.cat([self.net(batch[None, :, step]) for step in range(batch.shape[1])])


def replaced(module):
    for name, child in module.named_children():
        if isinstance(child, SpikingNeuron):
            new = StepNeuron(child)
        elif isinstance(child, Loop):
            new = StepLoop(replaced(child))
        elif isinstance(child, Repeat):
            new = nn.Identity()
        else:
            new = replaced(child)
        if new is not child:
            setattr(module, name, new) if not isinstance(module, nn.ModuleDict) else module.update(
                {name: new}
            )
    return module


def harness(net, real, labels, time_steps, batch_size):
    """What NeuroBench says of a network on inputs [1 or T, N, ...]."""
    frames = real.expand(time_steps, *real.shape[1:]).transpose(0, 1)
    data = DataLoader(TensorDataset(frames, torch.from_numpy(labels)), batch_size)
    metrics = [
        [ParameterCount, Footprint, ConnectionSparsity],
        [ActivationSparsity, SynapticOperations, MembraneUpdates, ClassificationAccuracy],
    ]
    decide = [lambda logits: logits.mean(0).argmax(-1)]
    return Benchmark(Twin(net, real[:, :1]), data, [], decide, metrics).run(quiet=True)
