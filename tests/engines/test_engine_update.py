"""Plain torch and fused updates of a population are the reference's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.integer_populations import random_population, reference
from support.raw_neurons import lif_soft
from support.strategies import populations
from support.strategies_graphs import graph_neurons
from support.strategies_neurons import rngs

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.trace import Recording, recorded
from arlif.kernels.build import library
from arlif.kernels.integer_update import MOST_OPERATIONS, applies
from hw_sim.engines.integer.update import FusedUpdate, TorchUpdate, Update, population_update

REACHES = {2**18: torch.float32, 2**31 - 1: torch.float64}
"""Accumulators up to this, and the type of floats that holds them."""


def check(update: Update, population: Population, reach: int, seed: np.random.Generator) -> None:
    """Two blocks of time steps, in the layouts and types that convolutions leave."""
    shape = (5, 2, *population.shape)
    accumulators = seed.integers(-reach, reach, shape)
    spikes, _, history = reference(population, accumulators, 5, None)
    states, state = dict(zip(population.neuron.variables, history, strict=True)), None
    for block, dtype in ((slice(0, 3), REACHES[reach]), (slice(3, 5), torch.int32)):
        acc = torch.from_numpy(accumulators[block]).to(dtype)
        if len(population.shape) == 3 and dtype.is_floating_point:
            folded = acc.flatten(0, 1).contiguous(memory_format=torch.channels_last)
            acc = folded.view(acc.shape)
        goes_on = block.stop < len(accumulators)
        fired, counts, state, kept = update(acc, len(acc), state, True, goes_on)
        np.testing.assert_array_equal(fired.numpy() == 1, spikes[block])
        np.testing.assert_array_equal(counts.numpy(), spikes[block].sum(0))
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
    cpu = torch.device("cpu")
    update = FusedUpdate(population) if fused else TorchUpdate(population, cpu)
    check(update, population, reach, seed)


@settings(max_examples=100, deadline=None)
@given(st.data(), rngs())
def test_plain_torch_is_the_reference_on_steps_that_do_anything(data, seed) -> None:
    """The printed kernels are held to it in tests/kernels."""
    shape = data.draw(SHAPES)
    reach = data.draw(st.sampled_from(tuple(REACHES)))
    population = random_population(data.draw(graph_neurons(shape)), shape, seed)
    check(TorchUpdate(population, torch.device("cpu")), population, reach, seed)


def test_the_fused_kernel_is_for_the_cpu_alone() -> None:
    """torch's meta device is none, and there on every machine."""
    neuron = lif_soft(FixedPointFormat(), 8, 128, 256)
    population = Population("p", (2,), neuron, np.ones(2), 0, np.zeros(2))
    assert isinstance(population_update(population, torch.device("meta")), TorchUpdate)
    fused = population_update(population, torch.device("cpu"))
    assert isinstance(fused, FusedUpdate) == (library() is not None)


def test_a_very_long_step_runs_as_a_plain_loop() -> None:
    """Compiling it takes longer than a run; up to the limit a step is compiled."""
    neuron = lif_soft(FixedPointFormat(), 8, 128, 256)
    recording = Recording()

    def of_length(operations: int) -> IntegerNeuron:
        def step(ops, state, x):
            u = state[0]
            for _ in range((operations - 4) // 2):
                u = ops.saturate(u + x)
            s = ops.fire(u, recording.parameter("threshold"))
            return s, [u]

        graph = recorded(recording, ("u",), step)
        assert len(graph.nodes) == operations
        return replace(neuron, graph=graph, constants={"threshold": 256})

    assert applies(of_length(MOST_OPERATIONS)) == (library() is not None)
    assert not applies(of_length(MOST_OPERATIONS + 2))
