"""Populations of integer neurons on their own: random ones, and what the specification says."""

import numpy as np

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.ops import IntegerOps
from arlif.core.steps import current
from arlif.kernels.integer_update import IntegerUpdate


def reference(population, accumulators, steps, state):
    """Spikes, last state and states over time from IntegerOps; channels come first."""
    neuron, ops = population.neuron, population.neuron.ops()
    gains = IntegerOps(neuron.state_format, population.gain_shift)
    gain = population.per_neuron(population.gain)
    bias = population.per_neuron(population.bias)
    if state is None:
        state = neuron.initial_state(np.zeros(accumulators.shape[1:], np.int32))
    spikes, states = [], []
    for t in range(steps):
        acc = accumulators[t if len(accumulators) > 1 else 0]
        fired, state = neuron.step(ops, state, current(gains, acc, gain, bias))
        spikes.append(fired)
        states.append([np.broadcast_to(part, acc.shape) for part in state])
    return np.stack(spikes).astype(np.uint8), state, np.stack(states, 1)


def random_population(neuron: IntegerNeuron, shape: tuple[int, ...], rng) -> Population:
    form, channels = neuron.state_format, shape[0]
    return Population(
        "p",
        shape,
        neuron,
        rng.integers(0, 256, channels),
        int(rng.integers(0, 20)),
        rng.integers(form.low, form.high, channels, endpoint=True) // int(rng.integers(1, 99)),
    )


def last(values, axis):
    """Channels behind all other axes, as kernels have them."""
    return np.moveaxis(np.asarray(values), axis, -1)


def check(population, acc, steps, threads, start=None) -> None:
    """A run from `start`, and one from where it ended: all that they give is the reference's."""
    kept = None if start is None else [last(part, 1) for part in start]
    for _ in range(2):
        spikes, start, history = reference(population, acc, steps, start)
        got = IntegerUpdate(population)(last(acc, 2), steps, threads, kept, history=True)
        kept = got.state
        assert np.array_equal(got.spikes, last(spikes, 2))
        assert got.spikes.dtype == np.uint8
        assert np.array_equal(got.counts, got.spikes.sum(0))
        assert tuple(got.history) == population.neuron.variables
        for name, want, end in zip(got.history, history, kept, strict=True):
            assert np.array_equal(got.history[name], last(want, 2))
            assert np.array_equal(end, got.history[name][-1])
    again = IntegerUpdate(population)(last(acc, 2), steps, threads, goes_on=False)
    assert again.history == {}
    assert again.state is None
