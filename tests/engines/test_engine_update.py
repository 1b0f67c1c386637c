"""Plain torch and fused updates of a population are the reference's."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.integer_neurons import lif_soft
from support.strategies import populations, rngs

from arlif.core.formats import FixedPointFormat
from arlif.core.network import Population
from arlif.core.steps import current
from arlif.kernels import integer_update
from arlif.kernels.build import library
from hw_sim.engines.integer.update import FusedUpdate, TorchUpdate, Update, population_update

REACHES = {2**18: torch.float32, 2**31 - 1: torch.float64}
"""Accumulators up to this, and the type of floats that holds them."""


def reference(population: Population, accumulators: np.ndarray) -> tuple[np.ndarray, dict]:
    neuron, ops = population.neuron, population.neuron.ops()
    state, spikes, states = None, [], []
    for acc in accumulators:
        x = current(
            ops,
            acc,
            population.per_neuron(population.gain),
            population.gain_shift,
            population.per_neuron(population.bias),
        )
        state = state or neuron.initial_state(np.zeros_like(x))
        fired, state = neuron.step(ops, state, x)
        spikes.append(fired)
        states.append(state)
    names = states[0]._fields
    return np.stack(spikes), {n: np.stack([getattr(s, n) for s in states]) for n in names}


def check(update: Update, population: Population, reach: int, seed: np.random.Generator) -> None:
    """Two blocks of time steps, in the layouts and types that convolutions leave."""
    shape = (5, 2, *population.shape)
    accumulators = seed.integers(-reach, reach, shape)
    spikes, states = reference(population, accumulators)
    state = None
    for block, dtype in ((slice(0, 3), REACHES[reach]), (slice(3, 5), torch.int32)):
        acc = torch.from_numpy(accumulators[block]).to(dtype)
        if len(population.shape) == 3 and dtype.is_floating_point:
            folded = acc.flatten(0, 1).contiguous(memory_format=torch.channels_last)
            acc = folded.view(acc.shape)
        fired, state, kept = update(acc, len(acc), state, True)
        np.testing.assert_array_equal(fired.numpy() == 1, spikes[block])
        for name, values in kept.items():
            np.testing.assert_array_equal(values.numpy(), states[name][block])
        assert kept.keys() == states.keys()


SHAPES = st.sampled_from([(1,), (7,), (1, 3, 2), (3, 4, 5), (16, 2, 2)])


@pytest.mark.parametrize("fused", [False, True])
@settings(max_examples=60, deadline=None)
@given(st.data(), rngs())
def test_updates_are_the_reference(fused: bool, data: st.DataObject, seed) -> None:
    reach = data.draw(st.sampled_from(tuple(REACHES)))
    population = data.draw(populations("p", data.draw(SHAPES), reach))
    if fused and library() is None:
        pytest.skip("no C++ compiler here")
    assume(not fused or integer_update.applies(population.neuron))
    cpu = torch.device("cpu")
    update = FusedUpdate(population) if fused else TorchUpdate(population, cpu)
    check(update, population, reach, seed)


def test_the_fused_kernel_is_for_the_cpu_alone() -> None:
    """torch's meta device is none, and there on every machine."""
    neuron = lif_soft(FixedPointFormat(), 8, 128, 256)
    population = Population("p", (2,), neuron, np.ones(2), 0, np.zeros(2))
    assert isinstance(population_update(population, torch.device("meta")), TorchUpdate)
    fused = population_update(population, torch.device("cpu"))
    assert isinstance(fused, FusedUpdate) == (library() is not None)
