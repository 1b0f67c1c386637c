"""Intervals of a step and of a population: sound for every run, exact where that can be counted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.raw_neurons import lif_soft, sampled
from support.strategies import cases
from support.strategies_graphs import graph_neurons
from support.strategies_neurons import neurons, rngs

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import Op
from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.neuron import Neuron, constant
from arlif.core.proven_ranges import (
    NeuronRanges,
    current_interval,
    neuron_ranges,
    population_ranges,
)
from arlif.core.ranges import width
from arlif.core.real_neurons import RealArlif, RealClif
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

COMPACT = PRESETS["compact16"]
STEPS = 24


def fired(neuron: IntegerNeuron) -> int:
    return next(n for n, node in enumerate(neuron.graph.nodes) if node.op is Op.FIRE)


def values(neuron: IntegerNeuron, state, x) -> list[np.ndarray]:
    """What every node of the step is."""
    graph, names = neuron.graph, neuron.variables
    found = []
    for place in range(len(graph.nodes)):
        read = replace(graph, after=(place,) * len(names))
        _, after = read.run(neuron.ops(), state, x, neuron.constants, neuron.tables)
        found.append(np.asarray(after[0]))
    return found


@settings(max_examples=60, deadline=None)
@given(st.data(), rngs())
def test_no_run_leaves_the_proven_intervals(data: st.DataObject, rng: np.random.Generator) -> None:
    shape = (2, 3, 2)
    neuron = data.draw(neurons(shape) | graph_neurons(shape))
    form = neuron.state_format
    low = data.draw(st.integers(form.low, form.high) | st.integers(-form.one, form.one))
    low = max(form.low, min(low, form.high))
    high = min(form.high, low + data.draw(st.integers(0, 4 * form.one)))
    ranges = neuron_ranges(neuron, (low, high))
    cells = ranges.cells(neuron)
    state = neuron.initial_state(np.zeros((50, *shape), np.int32))
    for step in range(STEPS):
        ends = rng.choice([low, high], (50, *shape))
        x = np.where(rng.random(ends.shape) < 0.7, ends, rng.integers(low, high + 1, ends.shape))
        nodes = values(neuron, state, x) if step % 8 == 7 else []
        for place, found in enumerate(nodes):
            assert ranges.nodes[place][0] <= found.min()
            assert found.max() <= ranges.nodes[place][1]
            node = neuron.graph.nodes[place]
            if node.op is Op.LOOKUP:
                table, inputs = neuron.tables[node.name], nodes[node.args[0]]
                read = (np.clip(inputs, table.low, table.high) - table.low) >> table.shift
                assert cells[node.name].start <= read.min()
                assert read.max() < cells[node.name].stop
        state = neuron.step(neuron.ops(), state, x)[1]
        for name, part in zip(neuron.variables, state, strict=True):
            assert ranges.states[name][0] <= np.min(part)
            assert np.max(part) <= ranges.states[name][1]


@settings(max_examples=25, deadline=None)
@given(cases(max_populations=3, max_steps=20))
def test_no_network_leaves_the_proven_intervals(case) -> None:
    network = case.network
    run = reference.simulate(network, case.inputs, case.time_steps, Record.everything(network))
    for population in network.populations:
        ranges = population_ranges(network, population.name).neuron
        trace = run.traces[population.name]
        for name, found in trace.states.items():
            assert ranges.states[name][0] <= found.min()
            assert found.max() <= ranges.states[name][1]
        least, most = ranges.nodes[fired(population.neuron)]
        assert least <= trace.spikes.min()
        assert trace.spikes.max() <= most


def slow_leak(decay: int, threshold: int) -> IntegerNeuron:
    return lif_soft(COMPACT.state_format, 8, decay, threshold)


def test_the_ends_of_a_leak_are_where_it_comes_to_rest() -> None:
    """u = u / 2 + 20: 20, 30, 35, 37, 38, 39, 39; and downwards -10, -15, -17, -18, -19, -19."""
    neuron = slow_leak(128, 256)
    ranges = neuron_ranges(neuron, (-10, 20))
    assert ranges.x == (-10, 20)
    assert ranges.states == {"u": (-19, 39)}
    assert ranges.nodes[fired(neuron)] == (0, 0)
    assert width(ranges.states["u"]) == 7


def test_a_condition_that_always_holds_is_decided() -> None:
    neuron = slow_leak(128, -300)
    assert neuron_ranges(neuron, (-10, 20)).nodes[fired(neuron)] == (1, 1)
    assert neuron_ranges(neuron, (-400, 20)).nodes[fired(neuron)] == (0, 1)


@pytest.mark.parametrize("x", [(-1, 1), (-32768, 32767)])
def test_states_that_saturate_keep_their_format(x: tuple[int, int]) -> None:
    """One step at a time, more than ROUNDS steps from the ends; and at once."""
    assert neuron_ranges(slow_leak(256, 32767), x).states == {"u": (-32768, 32767)}


def test_tables_are_read_where_their_inputs_are() -> None:
    """256 cells of 16 over -2048 to 2047: those of x from -20 to 40 begin at -32 and 32."""
    neuron = sampled(RealArlif(0.5, 1.0, 0.9, 0.5), COMPACT)
    cells = neuron_ranges(neuron, (-20, 40)).cells(neuron)
    assert [cells[name] for name in ("threshold", "gate", "drive")] == [slice(126, 131)] * 3
    assert cells["reset"].stop - cells["reset"].start < 256


def test_a_table_that_is_read_twice_is_read_wherever_either_reads_it() -> None:
    class Twice(Neuron):
        state = ("u",)
        decay: float = constant(0.5)

        def gate(self, ops, x):
            return ops.sigmoid(x)

        def step(self, ops, state, x):
            first = ops.lookup(self.gate, x)
            u = ops.saturate(ops.multiply(x, first) + ops.multiply(x, ops.lookup(self.gate, -x)))
            return ops.fire(u, self.decay), (u,)

    neuron = sampled(Twice(), COMPACT)
    assert neuron_ranges(neuron, (64, 80)).cells(neuron) == {"gate": slice(123, 134)}


def small_network(weight: int) -> QuantizedNetwork:
    """One input, one AR-LIF neuron."""
    population = Population(
        "p", (1,), sampled(RealArlif(), COMPACT), np.array([255]), 4, np.array([3])
    )
    maps = (Dense(np.full((1, 1), weight, np.int8)),)
    into = Projection(INPUT, "p", maps)
    out = Projection("p", READOUT, (Dense(np.ones((1, 1), np.int8)),))
    source = Input((1,), 1.0, 0, 127, static=False)
    return QuantizedNetwork(source, (population,), (into, out), Readout(np.zeros(1)), 4)


def test_a_network_of_small_weights_is_narrower_than_its_format() -> None:
    small, large = (population_ranges(small_network(n), "p") for n in (1, 127))
    assert small.accumulator == (0, 127)
    assert small.neuron.x == (3, 127 * 255 // 16 + 3)
    assert width(small.neuron.states["u"]) < 16
    assert large.accumulator == (0, 127 * 127)
    assert large.neuron.x == (3, 32767)
    assert large.neuron.states["u"][1] == 32767


@given(rngs(), st.integers(0, 12), st.integers(-90, 90), st.integers(0, 90))
def test_currents_are_those_of_every_accumulator(rng, shift, low, more) -> None:
    gain, bias = rng.integers(0, 256, 5), rng.integers(-40, 40, 5)
    state = FixedPointFormat(12, 4)
    population = Population("p", (5,), lif_soft(state, 8, 128, 16), gain, shift, bias)
    found = [
        max(-2048, min(2047, int(acc * g / 2**shift) + b))
        for acc in range(low, low + more + 1)
        for g, b in zip(gain.tolist(), bias.tolist(), strict=True)
    ]
    assert current_interval(population, (low, low + more)) == (min(found), max(found))


@pytest.mark.parametrize(
    ("interval", "bits"), [((0, 0), 1), ((-1, 0), 1), ((0, 1), 2), ((-129, 127), 9), ((-9, -5), 5)]
)
def test_the_width_of_an_interval(interval: tuple[int, int], bits: int) -> None:
    assert width(interval) == bits
    assert -(1 << (bits - 1)) <= interval[0]
    assert interval[1] < 1 << (bits - 1)


def test_a_state_that_leaves_its_format_is_refused() -> None:
    class Endless(Neuron):
        state = ("u",)
        threshold: float = constant(1.0)

        def step(self, ops, state, x):
            u = state.u + x
            return ops.fire(u, self.threshold), (u,)

    neuron = sampled(Endless(), COMPACT)
    assert neuron_ranges(neuron, (1, 1)).states == {"u": (-32768, 32767)}
    (saturated,) = neuron.graph.after
    graph = replace(neuron.graph, after=neuron.graph.nodes[saturated].args)
    with pytest.raises(NetworkError, match=r"u may become -65536 to 65534 in one step.*saturate"):
        replace(neuron, graph=graph)


def test_clif_narrows_too() -> None:
    neuron = sampled(RealClif(), COMPACT)
    ranges = neuron_ranges(neuron, (-100, 200))
    assert isinstance(ranges, NeuronRanges)
    assert all(width(interval) < 16 for interval in ranges.states.values())
