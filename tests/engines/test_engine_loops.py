"""Loops and delays: the reference against plain Python, and the fast engine in any cut of time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.loops import LoopCase, image_loop_cases, loop_cases

from arlif.base.errors import ArlifError, NetworkError
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork
from hw_sim.engines.integer import reference
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.integer.step_by_step import Stream
from hw_sim.engines.simulation import Record, Simulation


def assert_equal(want: Simulation, got: Simulation) -> None:
    assert np.array_equal(want.readout, got.readout)
    for name, trace in want.traces.items():
        assert np.array_equal(want.counts[name], got.counts[name])
        assert np.array_equal(trace.spikes, got.traces[name].spikes)
        for variable, values in trace.states.items():
            assert np.array_equal(values, got.traces[name].states[variable])


@settings(max_examples=40)
@given(loop_cases(), st.sampled_from((1, 7, 60, 10**6)))
def test_the_fast_engine_equals_the_reference_in_any_blocks(case: LoopCase, block: int) -> None:
    assert_blocks_change_nothing(case, block)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(image_loop_cases(), st.sampled_from((7, 10**6)))
def test_convolutions_may_go_back(case: LoopCase, block: int) -> None:
    assert_blocks_change_nothing(case, block)


def assert_blocks_change_nothing(case: LoopCase, block: int) -> None:
    record = Record.everything(case.network)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    engine = FastEngine(case.network, block_elements=block)
    assert_equal(want, engine.simulate(case.inputs, case.time_steps, record))


@pytest.mark.parametrize("samples", [1, 2])
def test_an_image_that_waits_comes_whole_at_every_later_step(samples: int) -> None:
    """Repeated without a copy; torch's byte product, from 8 inputs on, reads rows as if copied."""
    rng = np.random.default_rng(0)
    weight = Dense(rng.integers(-127, 128, (2, 24)).astype(np.int8))
    network = LoopCase.smallest().network
    others = [replace(p, delay=3 * p.delay) for p in network.projections if p.source != INPUT]
    late = Projection(INPUT, "a", (weight,), 0, 1)
    source = Input((24,), 1.0, static=True)
    waiting = QuantizedNetwork(source, network.populations, (late, *others), network.readout, 6)
    inputs = rng.integers(-127, 128, (samples, 24)).astype(np.int8)
    assert_blocks_change_nothing(LoopCase(waiting, inputs, 6), 10**6)


@settings(max_examples=40)
@given(loop_cases())
def test_the_reference_equals_sums_over_what_was_sent(case: LoopCase) -> None:
    """Every accumulator again, from the spikes that were recorded, one product at a time."""
    network, steps = case.network, case.time_steps
    done = reference.simulate(network, case.inputs, steps, Record.everything(network))
    frames = case.inputs if not network.input.static else [case.inputs] * steps
    sent = {INPUT: [np.asarray(frame, int) for frame in frames]} | {
        name: list(trace.spikes.astype(int)) for name, trace in done.traces.items()
    }
    total = np.zeros_like(done.readout)
    for t in range(steps):
        total += network.readout.bias
        for p in network.incoming(READOUT):
            if t >= p.delay:
                (linear,) = p.maps
                assert isinstance(linear, Dense)
                total += (sent[p.source][t - p.delay] @ linear.weight.T.astype(int)) << p.shift
    assert np.array_equal(total, done.readout)
    for population in network.populations:
        neuron = population.neuron
        state = neuron.initial_state(np.zeros((len(done.readout), *population.shape), np.int32))
        for t in range(steps):
            sums = np.zeros((len(done.readout), *population.shape), int)
            for p in network.incoming(population.name):
                if t >= p.delay:
                    (linear,) = p.maps
                    assert isinstance(linear, Dense)
                    weight = linear.weight.astype(int)
                    sums += (sent[p.source][t - p.delay] @ weight.T) << p.shift
            product = sums * population.gain.astype(int)
            scaled = np.sign(product) * (np.abs(product) >> population.gain_shift)
            form = neuron.state_format
            x = np.clip(scaled + population.bias, form.low, form.high).astype(np.int32)
            spikes, state = neuron.step(neuron.ops(), state, x)
            assert np.array_equal(spikes, done.traces[population.name].spikes[t])


def test_a_cycle_needs_a_delay_and_every_node_a_way_to_the_readout() -> None:
    case = LoopCase.smallest()
    network = case.network
    inside = next(p for p in network.projections if p.delay)
    others = tuple(p for p in network.projections if p is not inside)
    still = Projection(inside.source, inside.target, inside.maps)
    with pytest.raises(NetworkError, match=r"cycle without delay.*delay of one time step or more"):
        QuantizedNetwork(network.input, network.populations, (*others, still), network.readout, 3)
    ends = tuple(p for p in network.projections if p.target != READOUT)
    away = Projection(INPUT, READOUT, (Dense(np.ones((3, 2), np.int8)),))
    with pytest.raises(NetworkError, match="lead nowhere: a"):
        QuantizedNetwork(network.input, network.populations, (*ends, away), network.readout, 3)


@pytest.mark.parametrize("delay", [-1, 4097])
def test_delays_have_bounds(delay: int) -> None:
    with pytest.raises(NetworkError, match="0 to 4096 whole time steps"):
        Projection("a", "b", (), 0, delay)


@settings(max_examples=40)
@given(loop_cases())
def test_a_stream_of_steps_equals_the_whole_run(case: LoopCase) -> None:
    network = case.network
    want = reference.simulate(
        network, case.inputs, case.time_steps, Record.everything(network, states=False)
    )
    stream = Stream(network, len(want.readout))
    for _ in range(2):
        stream.restart()
        for t in range(case.time_steps):
            done = stream.step(case.inputs if network.input.static else case.inputs[t])
            for name, trace in want.traces.items():
                assert np.array_equal(done.spikes[name], trace.spikes[t])
        assert np.array_equal(stream.readout, want.readout)
        assert np.array_equal(stream.decisions, want.decisions)


def test_a_stream_takes_one_step_of_raw_integers() -> None:
    stream = Stream(LoopCase.smallest().network, 2)
    for frame, rule in (
        (np.zeros((3, 2), np.int8), r"raw integers \(2, 2\)"),
        (np.zeros((2, 2)), r"raw integers \(2, 2\), not float64"),
        (np.full((2, 2), 200), r"lie in \[-127, 127\], not 200"),
    ):
        with pytest.raises(ArlifError, match=rule):
            stream.step(frame)
    with pytest.raises(ArlifError, match="at least 1 sample, not 0"):
        Stream(LoopCase.smallest().network, 0)
