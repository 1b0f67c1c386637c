"""The ways that the engine says it took, and the floor that benchmarks/engine.py sets by them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from support.raw_neurons import lif_soft

from arlif.core.integer_neurons import PRESETS
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import INPUT, READOUT, Input, Population, Projection, QuantizedNetwork
from arlif.core.network import Readout as ReadoutOf
from arlif.kernels import build
from hw_sim.engines.integer.fast import FastEngine

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import floor

    yield floor
    del sys.modules["floor"]  # no other test finds what lies beside a benchmark


def test_the_larger_time_sets_the_floor(floor) -> None:
    rates = {"products": 10.0, "bandwidth": 100.0}
    assert floor.Floor.of(floor.Work(20, 50), **rates) == floor.Floor(2.0, "products")
    assert floor.Floor.of(floor.Work(20, 500), **rates) == floor.Floor(5.0, "memory")
    assert floor.Floor(2.0, "products").share(4.0) == 0.5


def test_a_time_below_its_floor_is_no_measurement(floor) -> None:
    rows = {"slow": {"share_of_floor": 0.3}, "fast": {"share_of_floor": 1.01}}
    assert floor.beaten(rows) == ["fast"]
    assert floor.beaten({"even": {"share_of_floor": 1.0}}) == []


def network(threshold: int) -> QuantizedNetwork:
    """A convolution that fires everywhere at threshold 1, one with many inputs, and a readout."""
    numbers = PRESETS["compact16"]
    neuron = lif_soft(numbers.state_format, 8, 128, threshold)

    def population(name: str, channels: int) -> Population:
        return Population(name, (channels, 4, 4), neuron, np.full(channels, 255), 0, [0] * channels)

    first = Conv2d(np.ones((64, 1, 1, 1), np.int8))
    second = Conv2d(np.ones((128, 64, 3, 3), np.int8), padding=(1, 1))
    return QuantizedNetwork(
        Input((1, 4, 4), 0.01),
        (population("a", 64), population("b", 128)),
        (
            Projection(INPUT, "a", (first,)),
            Projection("a", "b", (second,)),
            Projection("b", READOUT, (Dense(np.ones((2, 128 * 16), np.int8)),)),
        ),
        ReadoutOf(np.zeros(2, int), 0.5),
        time_steps=3,
    )


@pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")
@pytest.mark.parametrize(("lit", "way"), [(1, "events"), (16, "dense")])
def test_the_floor_counts_what_was_done(floor, lit: int, way: str) -> None:
    """Events add 128 weights under every window that they lie in; all products count else."""
    given = network(256)
    engine, raw = FastEngine(given), np.zeros((8, 1, 4, 4), np.int8)
    raw.reshape(8, 16)[:, :lit] = 100
    done = engine.simulate(raw, 3)
    assert sum(int(counts.sum()) for counts in done.spikes.values()) > 0
    took = engine.ways()["b", "a"]
    assert set(took) == ({"events"} if way == "events" else {"tables"} & set(took) or {"products"})
    assert sum(took.values()) == 8 * 3
    dense = 8 * 3 * 128 * 16 * 64 * 9
    spikes = done.counts["a"].sum(0, dtype=int).sum(0)
    rows = [min(y + 1, 3) - max(y - 1, 0) + 1 for y in range(4)]
    under = 128 * sum(int(spikes[y, x]) * rows[y] * rows[x] for y in range(4) for x in range(4))
    expected = 8 * 64 * 16 + 8 * 2 * 128 * 16 + (min(dense, under) if way == "events" else dense)
    assert floor.work_of(given, engine, done, 8).products == expected
