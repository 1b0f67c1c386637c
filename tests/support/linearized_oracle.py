"""Linearized networks evaluated in float64, by torch's own maps and the real neurons."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from arlif.core.network import INPUT
from arlif.core.real_neurons import NumpyRealOps
from arlif.layers import later
from arlif.quantize.linearized import Current, LinearizedNetwork, RealConv2d

T, N = 3, 2


def accumulate(current: Current, sent: dict[str, Tensor]) -> Tensor:
    """[T, N, *shape] in float64."""
    steps, samples = sent[INPUT].shape[:2]
    total = torch.zeros(steps, samples, *current.shape, dtype=torch.float64)
    for term in current.terms:
        x = later(sent[term.source], term.delay).flatten(0, 1)
        for w in term.pools:
            x = functional.max_pool2d(x, w.kernel, w.stride, w.padding, w.dilation)
        for pool in term.before:
            x = functional.avg_pool2d(x, pool.kernel, pool.stride, pool.padding, divisor_override=1)
        weights = term.synapses
        weight = torch.tensor(weights.weight)
        if isinstance(weights, RealConv2d):
            x = functional.conv2d(
                x, weight, None, weights.stride, weights.padding, weights.dilation, weights.groups
            )
        else:
            x = x.flatten(1) @ weight.t()
        for pool in term.after:
            x = functional.avg_pool2d(x, pool.kernel, pool.stride, pool.padding, divisor_override=1)
        total += term.scale * x.view(-1, samples, *current.shape)
    return total + torch.tensor(current.bias).view(-1, *(1,) * (len(current.shape) - 1))


def run(network: LinearizedNetwork, x: Tensor) -> tuple[Tensor, dict[str, np.ndarray]]:
    """Logits and spikes of a linearized network."""
    sent, ops = {INPUT: x.double()}, NumpyRealOps()
    spikes = {}
    for population in network.populations:
        currents = accumulate(population.current, sent).numpy()
        state = population.neuron.initial_state(np.zeros_like(currents[0]))
        steps = []
        for now in currents:
            fired, state = population.neuron.step(ops, state, now)
            steps.append(fired)
        spikes[population.name] = np.stack(steps)
        sent[population.name] = torch.from_numpy(spikes[population.name]).double()
    return accumulate(network.readout, sent), spikes
