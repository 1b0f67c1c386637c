"""A network on numpy, one step after another: the integer specification at work."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import apply_chain
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.ops import IntegerOps
from arlif.core.steps import current


@dataclass(frozen=True)
class Moment:
    """One population at one time step, [N, *shape] each.

    accumulator: int64. current, state: int32; the state after the step, a named tuple. spikes:
    bool.
    """

    accumulator: NDArray[np.int64]
    current: NDArray[np.int32]
    spikes: NDArray[np.bool_]
    state: Any


@dataclass(frozen=True)
class Step:
    """One time step. moments: by population, sources first. readout: int64 [N, classes], added.

    Where the readout reads a state, what is added is the difference to the step before.

    ors: what every OR of spikes sends, by name, [N, *shape].
    """

    moments: dict[str, Moment]
    readout: NDArray[np.int64]
    ors: dict[str, NDArray[Any]]


def run_steps(network: QuantizedNetwork, inputs: NDArray[Any], time_steps: int) -> Iterator[Step]:
    """Run raw inputs within their range, [N, *shape] (static) or [T, N, *shape]."""
    states: dict[str, Any] = {}
    names = (INPUT, *(p.name for p in network.populations), *network.ors)
    waits = {name: network.waits(name) for name in names if network.waits(name)}
    past: dict[str, list[NDArray[Any]]] = {}
    reading, total = network.readout.reading, None
    for t in range(time_steps):
        sent = {INPUT: inputs if network.input.static else inputs[t]}
        _pool(network, INPUT, sent)
        moments = {}
        for population in network.populations:
            name, neuron = population.name, population.neuron
            accumulator = accumulate(network, name, sent, past)
            x = current(
                IntegerOps(neuron.state_format, population.gain_shift),
                accumulator,
                population.per_neuron(population.gain),
                population.per_neuron(population.bias),
            )
            state = states.get(name) or neuron.initial_state(np.zeros_like(x))
            sent[name], states[name] = neuron.step(neuron.ops(), state, x)
            _pool(network, name, sent)
            moments[name] = Moment(accumulator, x, sent[name], states[name])
        if reading is None:
            readout = accumulate(network, READOUT, sent, past) + network.readout.bias
        else:
            before = total
            now = getattr(states[reading.population], reading.variable)
            total = network.readout.read(now[None], before)
            readout = total - (0 if before is None else before)
        yield Step(moments, readout, {name: sent[name] for name in network.ors})
        for name, longest in waits.items():
            past[name] = [sent[name], *past.get(name, [])][:longest]


def _pool(network: QuantizedNetwork, node: str, sent: dict[str, NDArray[Any]]) -> None:
    """Add every OR of what a node sends."""
    for pooled in network.ors_of(node):
        sent[pooled.name] = pooled(sent[pooled.source])


def accumulate(
    network: QuantizedNetwork,
    target: str,
    sent: dict[str, NDArray[Any]],
    past: Mapping[str, list[NDArray[Any]]] = MappingProxyType({}),
) -> NDArray[np.int64]:
    """The accumulator of a node: sum over its projections of (maps applied to source) << shift.

    sent: what nodes and ORs send now. past: what they sent before, the latest first.
    """
    samples = len(next(iter(sent.values())))
    total = np.zeros((samples, *network.shape(target)), np.int64)
    for p in network.incoming(target):
        before = past.get(p.entering, [])
        if p.delay <= len(before):
            frame = before[p.delay - 1] if p.delay else sent[p.entering]
            total += apply_chain(p.maps, frame, network.source_interval(p.entering)) << p.shift
    return total
