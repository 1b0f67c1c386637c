"""How far a real-valued network's numbers reach, and how much it fires, on given inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from arlif.core.maps import SumPool2d
from arlif.core.network import INPUT
from arlif.core.real_neurons import NumpyRealOps
from arlif.layers import later
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    Real,
    RealConv2d,
    Term,
)


@dataclass(frozen=True)
class Reach:
    """largest: magnitude of the current and of all that the state format must hold.

    rate: share of neuron-steps with a spike.
    """

    largest: float
    rate: float


class _Watching(NumpyRealOps):
    """Real numbers, and the largest of what would be saturated."""

    def __init__(self) -> None:
        self.largest = 0.0

    def saturate(self, value: Any) -> Any:
        self.largest = max(self.largest, float(np.abs(value).max()))
        return value


def reach(network: LinearizedNetwork, real: Real, time_steps: int) -> dict[str, Reach]:
    """The reach of every population, run in float64 on inputs [1 or T, N, *shape].

    time_steps: how many steps a static input is shown for.
    """
    steps = time_steps if network.static else len(real)
    source = torch.from_numpy(np.broadcast_to(real, (steps, *real.shape[1:])).astype(np.float64))
    done = {INPUT}
    for population in network.populations:
        if not done.issuperset(term.source for term in population.current.terms):
            return _step_by_step(network, source)
        done.add(population.name)
    return _layer_by_layer(network, source)


def _layer_by_layer(network: LinearizedNetwork, source: Tensor) -> dict[str, Reach]:
    sent, found = {INPUT: source}, {}
    for population in network.populations:
        run = _Run(population, source.shape[1])
        currents = _current(population.current, lambda term: later(sent[term.source], term.delay))
        sent[population.name] = torch.stack([run.advance(now) for now in currents])
        found[population.name] = run.reach()
    return found


def _step_by_step(network: LinearizedNetwork, source: Tensor) -> dict[str, Reach]:
    runs = {p.name: _Run(p, source.shape[1]) for p in network.populations}
    sent: dict[str, list[Tensor]] = {name: [] for name in runs}
    sent[INPUT] = list(source)
    for step in range(len(source)):
        for population in network.populations:
            zeros = {INPUT: torch.zeros_like(source[0])} | {n: r.silent for n, r in runs.items()}

            def arriving(term: Term) -> Tensor:
                at = step - term.delay  # noqa: B023 used at once
                return (sent[term.source][at] if at >= 0 else zeros[term.source])[None]  # noqa: B023

            now = _current(population.current, arriving)[0]
            sent[population.name].append(runs[population.name].advance(now))
    return {name: run.reach() for name, run in runs.items()}


class _Run:
    """A population under way."""

    def __init__(self, population: LinearizedPopulation, samples: int) -> None:
        self.population, self.ops = population, _Watching()
        self.silent = torch.zeros(samples, *population.current.shape, dtype=torch.float64)
        self.state = population.neuron.initial_state(self.silent.numpy())
        self.spikes = self.steps = 0

    def advance(self, current: Tensor) -> Tensor:
        """Spikes, 0.0 or 1.0, of one more step."""
        x: NDArray[np.float64] = current.numpy()
        self.ops.saturate(x)
        neuron = self.population.neuron
        fired, after = neuron.step(self.ops, self.state, x)
        self.state = neuron.state_type(*after)  # a step may return a plain tuple
        self.spikes += int(np.count_nonzero(fired))
        self.steps += 1
        return torch.from_numpy(np.broadcast_to(fired, x.shape).astype(np.float64))

    def reach(self) -> Reach:
        return Reach(self.ops.largest, self.spikes / (self.steps * self.silent.numel()))


def _current(current: Current, arriving: Callable[[Term], Tensor]) -> Tensor:
    """[T, N, *shape] for what arrives at each term, [T, N, ...]."""
    total = torch.tensor(current.bias).view(-1, *(1 for _ in current.shape[1:]))
    for term in current.terms:
        sent = arriving(term)
        brought = _weighted(term, sent.flatten(0, 1)).view(*sent.shape[:2], *current.shape)
        total = total + term.scale * brought
    return total


def _weighted(term: Term, x: Tensor) -> Tensor:
    for w in term.pools:
        x = functional.max_pool2d(x, w.kernel, w.stride, w.padding, w.dilation)
    for pool in term.before:
        x = _pooled(pool, x)
    weights = term.synapses
    weight = torch.from_numpy(weights.weight)
    if isinstance(weights, RealConv2d):
        how = (weights.stride, weights.padding, weights.dilation, weights.groups)
        x = functional.conv2d(x, weight, None, *how)
    else:
        x = x.flatten(1) @ weight.T
    for pool in term.after:
        x = _pooled(pool, x)
    return x


def _pooled(pool: Any, x: Tensor) -> Tensor:
    assert isinstance(pool, SumPool2d), "a linearized network pools and weighs, nothing else"
    return functional.avg_pool2d(x, pool.kernel, pool.stride, pool.padding, divisor_override=1)
