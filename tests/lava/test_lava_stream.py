"""Which samples a layer of Lava handles when, and what it writes of them; no Lava is needed."""

from pathlib import Path

import numpy as np
import pytest
from support.raw_neurons import lif_soft

from arlif.core.formats import FixedPointFormat
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
from arlif.core.steps import LifState
from hw_sim.engines.lava.job import Job
from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.lava.recorder import Recorder, create, read_counts, read_trace
from hw_sim.engines.lava.stream import Stream, depths
from hw_sim.engines.simulation import Record

NEURON = lif_soft(FixedPointFormat(), 8, 128, 256)
STEPS, SAMPLES, BATCH = 3, 5, 2


@pytest.mark.parametrize("depth", [0, 4])
def test_every_sample_is_handled_once_a_step_blocks_in_turn(depth: int) -> None:
    stream = Stream(SAMPLES, STEPS, BATCH)
    assert stream.length == 9
    seen = [stream.position(step, depth) for step in range(20)]
    handled = [(t, slice(at, min(at + BATCH, SAMPLES))) for at in (0, 2, 4) for t in range(STEPS)]
    assert seen == [None] * (depth + 1) + handled + [None] * (10 - depth)


def network(maps: tuple[int, ...]) -> QuantizedNetwork:
    """input -> a -> readout and input -> readout, with so many maps in each projection."""
    eye = Dense(np.eye(2, dtype=np.int8))
    ends = ((INPUT, "a"), ("a", READOUT), (INPUT, READOUT))
    joined = [Projection(*pair, (eye,) * count) for pair, count in zip(ends, maps, strict=True)]
    population = Population("a", (2,), NEURON, np.ones(2), 0, np.zeros(2))
    return QuantizedNetwork(Input((2,), 1.0), (population,), tuple(joined), Readout([0, 0]), 4)


@pytest.mark.parametrize(
    ("maps", "models", "a", "readout"),
    [
        ((0, 0, 0), Models.FAST, 1, 2),
        ((2, 3, 9), Models.FAST, 1, 2),
        ((0, 0, 0), Models.STOCK, 1, 2),
        ((2, 3, 4), Models.STOCK, 2, 5),
        ((2, 3, 9), Models.STOCK, 2, 9),
    ],
)
def test_a_node_waits_for_the_slowest_way_to_it(maps, models, a: int, readout: int) -> None:
    assert depths(network(maps), models) == {INPUT: 0, "a": a, READOUT: readout}


@pytest.mark.parametrize(("steps", "states"), [(False, True), (True, False), (True, True)])
def test_a_recorder_keeps_what_was_asked_sample_by_sample(
    steps: bool, states: bool, tmp_path: Path
) -> None:
    """Five samples in blocks of two: the last block has one that is none."""
    stream, rng = Stream(SAMPLES, STEPS, BATCH), np.random.default_rng(0)
    recorder = Recorder(tmp_path / "p", stream, 1, (2,), NEURON, steps, states)
    spikes, u = rng.random((STEPS, 6, 2)) < 0.5, rng.integers(-999, 999, (STEPS, 6, 2))
    recorder.write(1, np.ones((2, 2)), LifState(np.ones((2, 2))))  # too early
    for step in range(9):
        block, t = divmod(step, STEPS)
        part = slice(2 * block, 2 * block + 2)
        recorder.write(step + 2, spikes[t, part], LifState(u[t, part]))
    recorder.write(11, np.ones((2, 2)), LifState(np.ones((2, 2))))  # too late
    counts = read_counts(tmp_path / "p")
    assert counts.dtype == np.uint8
    np.testing.assert_array_equal(counts, spikes[:, :5].sum(0))
    assert (tmp_path / "p" / "spikes.npy").is_file() == steps
    if steps:
        trace = read_trace(tmp_path / "p")
        np.testing.assert_array_equal(trace.spikes, spikes[:, :5])
        assert trace.spikes.dtype == np.bool_
        assert trace.states.keys() == ({"u"} if states else set())
        for values in trace.states.values():
            np.testing.assert_array_equal(values, u[:, :5].astype(np.int32), strict=True)


def test_files_of_results_start_at_0(tmp_path: Path) -> None:
    assert create(tmp_path / "new.npy", (2, 3), np.int64).tolist() == [[0] * 3] * 2


@pytest.mark.parametrize("models", Models)
@pytest.mark.parametrize("record", [Record(), Record(("a", "b")), Record(("b",), True)])
def test_a_job_is_read_as_it_was_written(models: Models, record: Record, tmp_path: Path) -> None:
    job = Job(7, 3, models, record)
    job.write(tmp_path)
    assert Job.read(tmp_path) == job
