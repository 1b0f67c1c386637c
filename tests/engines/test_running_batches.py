"""Samples go through an engine batch by batch, the first ones recorded, and none is lost."""

import numpy as np
import pytest
from support.networks_small import digits_like
from support.simulations import assert_equal

from hw_sim.engines.in_batches import in_batches
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record, Simulation


@pytest.fixture(scope="module")
def case():
    network, inputs = digits_like(samples=7)
    record = Record.everything(network)
    return network, inputs, reference.simulate(network, inputs, network.time_steps, record)


@pytest.mark.parametrize("traced", [0, 1, 3, 4, 7, 99])
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_the_first_samples_are_recorded_and_all_are_run(case, traced: int, batch: int) -> None:
    network, inputs, whole = case
    done: list[tuple[int, int]] = []
    asked: list[tuple[int, bool]] = []

    def engine(part: np.ndarray, record: Record) -> Simulation:
        asked.append((len(part), bool(record.layers)))
        return fast.simulate(network, part, network.time_steps, record)

    record = Record.everything(network)
    given = (record, traced, lambda *told: done.append(told), batch)
    got = in_batches(engine, network.input, inputs, *given)
    first = min(traced, 7)
    assert got.recorded == first
    if first:
        assert_equal(whole.first(first), got.first(first))
    np.testing.assert_array_equal(got.readout, whole.readout)
    for name, counts in whole.counts.items():
        np.testing.assert_array_equal(got.counts[name], counts)
    assert max(size for size, _ in asked) <= batch
    assert sum(size for size, recorded in asked if recorded) == first
    assert done == [(int(sum(size for size, _ in asked[: i + 1])), 7) for i in range(len(asked))]
