"""Spike counts take as few bytes as T needs, and are not held twice when batches are joined."""

import tracemalloc

import numpy as np
import pytest
from support.networks_small import digits_like

from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record, Simulation, joined


@pytest.mark.parametrize("simulate", [reference.simulate, fast.simulate])
@pytest.mark.parametrize(("time_steps", "kind"), [(255, np.uint8), (256, np.uint16)])
def test_counts_are_as_narrow_as_time_steps_allow(simulate, time_steps: int, kind: type) -> None:
    network, inputs = digits_like(samples=2)
    record = Record.everything(network, states=False)
    simulation = simulate(network, inputs, time_steps, record)
    for name, counts in simulation.counts.items():
        want = simulation.traces[name].spikes.sum(0)
        assert counts.dtype == kind
        assert np.array_equal(counts, want)


def test_joining_holds_counts_once() -> None:
    def part() -> Simulation:
        layers = {f"layer{i}": np.ones((50, 10_000), np.uint8) for i in range(10)}
        return Simulation(np.zeros((50, 2), np.int64), layers, {})

    tracemalloc.start()
    try:
        parts = [part(), part()]
        held = tracemalloc.get_traced_memory()[0]
        whole = joined(parts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * held
    assert all(counts.shape == (100, 10_000) and counts.all() for counts in whole.counts.values())
