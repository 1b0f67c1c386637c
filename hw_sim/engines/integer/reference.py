"""The reference engine: the integer specification on numpy, one step after another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import apply_chain
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.ops import IntegerOps
from arlif.core.steps import current
from hw_sim.engines.simulation import Record, Simulation, Trace, check_request, count_type


def simulate(
    network: QuantizedNetwork,
    inputs: NDArray[Any],
    time_steps: int,
    record: Record = Record(),
) -> Simulation:
    """Run raw inputs, [N, *shape] (static) or [T, N, *shape]. Raises ArlifError on a misfit."""
    names = [p.name for p in network.populations]
    check_request(network.input, names, inputs, time_steps, record)
    samples = inputs.shape[network.input.sample_axis]
    states: dict[str, Any] = {}
    readout = np.zeros((samples, *network.readout.shape), np.int64)
    waits = {name: network.waits(name) for name in (INPUT, *names) if network.waits(name)}
    kind = count_type(time_steps)
    counts = {p.name: np.zeros((samples, *p.shape), kind) for p in network.populations}
    history: dict[str, list[tuple[Any, Any]]] = {name: [] for name in record.layers}
    past: dict[str, list[NDArray[Any]]] = {}
    for t in range(time_steps):
        sent = {INPUT: inputs if network.input.static else inputs[t]}
        for population in network.populations:
            name, neuron = population.name, population.neuron
            x = current(
                IntegerOps(neuron.state_format, population.gain_shift),
                accumulate(network, name, sent, past),
                population.per_neuron(population.gain),
                population.per_neuron(population.bias),
            )
            state = states.get(name) or neuron.initial_state(np.zeros_like(x))
            sent[name], states[name] = neuron.step(neuron.ops(), state, x)
            counts[name] += sent[name].astype(kind)
            if name in history:
                history[name].append((sent[name], states[name] if record.states else ()))
        readout += accumulate(network, READOUT, sent, past) + network.readout.bias
        for name, longest in waits.items():
            past[name] = [sent[name], *past.get(name, [])][:longest]
    return Simulation(readout, counts, {name: _trace(steps) for name, steps in history.items()})


def accumulate(
    network: QuantizedNetwork,
    target: str,
    sent: dict[str, NDArray[Any]],
    past: Mapping[str, list[NDArray[Any]]] = MappingProxyType({}),
) -> NDArray[np.int64]:
    """The accumulator of a node: sum over its projections of (maps applied to source) << shift.

    sent: what nodes send now. past: what they sent before, the latest first.
    """
    samples = len(next(iter(sent.values())))
    total = np.zeros((samples, *network.shape(target)), np.int64)
    for p in network.incoming(target):
        before = past.get(p.source, [])
        if p.delay <= len(before):
            frame = before[p.delay - 1] if p.delay else sent[p.source]
            total += apply_chain(p.maps, frame, network.source_interval(p.source)) << p.shift
    return total


def _trace(steps: list[tuple[Any, Any]]) -> Trace:
    spikes, states = zip(*steps, strict=True)
    names = getattr(states[0], "_fields", ())
    return Trace(
        np.stack(spikes),
        {
            name: np.stack([getattr(state, name) for state in states]).astype(np.int32)
            for name in names
        },
    )
