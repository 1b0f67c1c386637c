"""Operation counts against brute force, the traffic behind them, and what counting costs."""

import math
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from support.event_counts import brute_force_operations, sent_events
from support.strategies import Case, cases

from arlif.base.errors import ArlifError
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import (
    INPUT,
    Input,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.networks import build
from arlif.quantize import Precision, linearize, quantize
from arlif.training import load_recipe
from hw_sim.energy.catalogue import fitting_models
from hw_sim.energy.connections import fan_out
from hw_sim.energy.counter import OperationCounter, count, synaptic_operations
from hw_sim.energy.operations import OperationKind
from hw_sim.energy.traffic import Memory, traffic
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record


@settings(max_examples=40, deadline=None)
@given(cases(max_populations=3, max_samples=2, max_steps=6))
def test_synaptic_operations_equal_a_brute_force_loop_over_every_step(case: Case):
    network = case.network
    record = Record.everything(network, states=False)
    simulation = simulate(network, case.inputs, case.time_steps, record)
    counts = count(network, case.inputs, simulation, case.time_steps)
    for layer in counts.layers:
        for projection in layer.incoming:
            events = sent_events(case, simulation, projection.projection.entering)
            want = brute_force_operations(network, projection.projection, events)
            assert projection.operations.tolist() == want
            pixels = projection.projection.entering == INPUT and network.input.high > 1
            weighted = any(hasattr(linear, "weight") for linear in projection.projection.maps)
            assert projection.graded == (pixels and weighted)


def with_ors(case: Case) -> bool:
    return bool(case.network.ors)


@settings(max_examples=15, deadline=None)
@given(cases(max_populations=3, max_samples=2, max_steps=6).filter(with_ors))
def test_a_spike_sets_a_bit_in_every_window_that_it_lies_under(case: Case):
    network = case.network
    record = Record.everything(network, states=False)
    simulation = simulate(network, case.inputs, case.time_steps, record)
    layers = count(network, case.inputs, simulation, case.time_steps).layers
    want = np.zeros(len(simulation.readout), np.int64)
    for pooled in network.ors.values():
        w, spikes = pooled.window, sent_events(case, simulation, pooled.source)
        height, width = w.output_size(spikes.shape[2:])
        for y, x in np.ndindex(*spikes.shape[3:]):
            under = [
                (row, column, a, b)
                for row, column in np.ndindex(height, width)
                for a, b in np.ndindex(*w.kernel)
                if row * w.stride[0] - w.padding[0] + a * w.dilation[0] == y
                and column * w.stride[1] - w.padding[1] + b * w.dilation[1] == x
            ]
            want += len(under) * spikes[..., y, x].sum((0, 2))
    assert np.array_equal(sum(layer.bits_set for layer in layers), want)


@settings(max_examples=25, deadline=None)
@given(cases(max_populations=3, max_steps=6))
def test_operations_over_time_add_up_to_the_counts(case: Case):
    network = case.network
    record = Record.everything(network, states=False)
    simulation = simulate(network, case.inputs, case.time_steps, record)
    counter = OperationCounter(network)
    whole = counter.count(case.inputs, simulation, case.time_steps)
    steps = counter.count_steps(case.inputs, simulation)
    assert len(steps) == case.time_steps
    for number, layer in enumerate(whole.layers):
        parts = [step.layers[number] for step in steps]
        assert sum(part.updates for part in parts) == layer.updates
        for name in ("spikes", "accumulates", "multiply_accumulates", "bits_set"):
            total = sum(getattr(part, name) for part in parts)
            assert np.array_equal(total, getattr(layer, name))
        for model in fitting_models(network):
            energy = sum(model.bill(part).total for part in parts)
            assert energy == pytest.approx(model.bill(layer).total, rel=1e-12)
    with pytest.raises(ArlifError, match="not recorded"):
        counter.count_steps(case.inputs, replace(simulation, traces={}))


def test_counting_needs_little_memory_beside_the_spike_counts_and_loses_no_integer():
    rng = np.random.default_rng(0)
    events = rng.integers(0, 256, (400, 16, 28, 28)).astype(np.uint8)
    connections = rng.integers(1, 2**33, (16, 28, 28))
    tracemalloc.start()
    try:
        got = synaptic_operations(connections, events)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < events.nbytes
    for sample, operations in zip(events[::97], got[::97], strict=True):
        pairs = zip(sample.ravel().tolist(), connections.ravel().tolist(), strict=True)
        assert operations == sum(n * fan for n, fan in pairs)


@given(cases(max_steps=6))
@settings(max_examples=40, deadline=None)
def test_nominal_connections_are_never_fewer_and_equal_for_dense_maps(case: Case):
    network = case.network
    simulation = simulate(network, case.inputs, case.time_steps)
    for layer in count(network, case.inputs, simulation, case.time_steps).layers:
        for p in layer.incoming:
            assert p.nominal >= p.connections
            if all(isinstance(linear, Dense) for linear in p.projection.maps):
                assert p.nominal == p.connections


def test_zero_weights_count_and_borders_do_not():
    weight = np.zeros((2, 1, 3, 3), np.int8)
    conv = Conv2d(weight, padding=(1, 1))
    readout = Readout(np.zeros(1, np.int32))
    maps = (conv, Dense(np.ones((1, 8), np.int8)))
    network = QuantizedNetwork(
        Input((1, 2, 2), 1.0, 0, 1), (), (Projection(INPUT, "readout", maps),), readout, 1
    )
    assert fan_out(network, network.projections[0]).tolist() == [[[8, 8], [8, 8]]]


@given(cases(max_populations=2, max_samples=2, max_steps=6))
@settings(max_examples=20, deadline=None)
def test_traffic_follows_operations_and_updates(case: Case):
    network = case.network
    simulation = simulate(network, case.inputs, case.time_steps)
    for layer in count(network, case.inputs, simulation, case.time_steps).layers:
        parts = {memory: [t for t in traffic(layer) if t.memory is memory] for memory in Memory}
        (accumulators,) = parts[Memory.ACCUMULATORS]
        want = 2 * (layer.synaptic_operations + layer.updates)
        assert np.array_equal(accumulators.accesses, want)
        tables = sum(t.accesses for t in parts[Memory.TABLES])
        assert np.all(tables == layer.update.number(OperationKind.LOOKUP) * layer.updates)
        stored = sum(t.size_bits for t in parts[Memory.WEIGHTS])
        held = [m.weight for p in layer.incoming for m in p.projection.maps if hasattr(m, "weight")]
        assert sum(2 * w.size for w in held) <= stored <= sum(8 * w.size for w in held)


@pytest.fixture
def one_thread():
    """Threads that wait for work would count as time of the engine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("recipe", "samples"),
    [("digits", 1), ("digits", 32), ("fashion-mnist", 64), ("cifar10-resnet18-t4", 4)],
)
def test_counting_adds_at_most_30_percent_to_the_fast_engine(recipe, samples, one_thread):
    torch.manual_seed(0)
    config = load_recipe(recipe).network()
    linear, steps = linearize(build(config), config.input_shape), config.time_steps
    network = quantize(linear, Input(config.input_shape, 1 / 64), Precision(), steps)
    rng = np.random.default_rng(0)
    inputs = rng.integers(-127, 128, (samples, *config.input_shape)).astype(np.int8)
    engine, counter = FastEngine(network), OperationCounter(network)
    simulation = engine.simulate(inputs, steps)

    works = {
        "simulating": lambda: engine.simulate(inputs, steps),
        "counting": lambda: counter.count(inputs, simulation, steps),
    }
    least = dict.fromkeys(works, math.inf)
    for turn in range(20):  # other programs only ever make a turn slower
        for name, work in works.items():
            started = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - started)
        if turn >= 4 and least["counting"] < 0.3 * least["simulating"]:
            break
    assert least["counting"] < 0.3 * least["simulating"]
