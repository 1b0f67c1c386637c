"""Populations of integer neurons on their own: random ones, and what the specification says."""

import numpy as np

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.ops import IntegerOps
from arlif.core.steps import current


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
