"""A readout of potentials: the last or the largest over time, the same in every engine and file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.readings import NAME, Case, expected, reading_cases

from export.lava.net import read_net, write_net
from export.nir import read_nir, write_nir
from hw_sim.engines import onnx
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.integer.step_by_step import Stream
from hw_sim.engines.simulation import Record, Simulation

FEW = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def require_equal(got: Simulation, want: Simulation) -> None:
    np.testing.assert_array_equal(got.readout, want.readout)
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(got.counts[name], want.counts[name])
        np.testing.assert_array_equal(got.traces[name].spikes, trace.spikes)
        for state, values in trace.states.items():
            np.testing.assert_array_equal(got.traces[name].states[state], values)


@settings(FEW, max_examples=15)
@given(case=reading_cases())
def test_the_reference_reads_what_whole_numbers_say(case: Case) -> None:
    found = reference.simulate(case.network, case.inputs, case.time_steps)
    np.testing.assert_array_equal(found.readout, expected(case))
    assert not found.counts[NAME].any()


@FEW
@given(case=reading_cases(max_steps=40))
def test_every_engine_reads_it_alike(case: Case) -> None:
    require_alike(case)


@pytest.mark.slow
@settings(FEW, max_examples=300)
@given(case=reading_cases())
def test_every_engine_reads_many_networks_alike(case: Case) -> None:
    require_alike(case)


def require_alike(case: Case) -> None:
    network, inputs, steps = case.network, case.inputs, case.time_steps
    record = Record.everything(network)
    want = reference.simulate(network, inputs, steps, record)
    for block in (1, 3, 255):
        engine = fast.FastEngine(network, block_steps=block)
        require_equal(engine.simulate(inputs, steps, record), want)
        np.testing.assert_array_equal(engine.simulate(inputs, steps).readout, want.readout)
    require_equal(onnx.simulate(network, inputs, steps, record), want)
    np.testing.assert_array_equal(onnx.simulate(network, inputs, steps).readout, want.readout)


@FEW
@given(case=reading_cases(max_steps=8))
def test_a_stream_reads_after_every_step(case: Case) -> None:
    """What a step adds is the difference to the step before, so sums are what was read."""
    network, inputs = case.network, case.inputs
    stream = Stream(network, inputs.shape[network.input.sample_axis])
    for t in range(case.time_steps):
        shown = inputs if network.input.static else inputs[: t + 1]
        stream.step(inputs if network.input.static else inputs[t])
        want = reference.simulate(network, shown, t + 1).readout
        np.testing.assert_array_equal(stream.readout, want)


@FEW
@given(case=reading_cases(max_steps=1))
def test_files_hold_it(case: Case, tmp_path: Path) -> None:
    write_nir(case.network, tmp_path / "network.nir")
    write_net(case.network, tmp_path / "network.net")
    assert read_nir(tmp_path / "network.nir") == case.network
    assert read_net(tmp_path / "network.net") == case.network


@pytest.mark.lava
@settings(FEW, max_examples=1)
@given(case=reading_cases(max_populations=2, max_steps=6))
def test_lava_reads_it_alike(case: Case) -> None:
    from hw_sim.engines.lava.launch import simulate

    record = Record.everything(case.network)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    require_equal(simulate(case.network, case.inputs, case.time_steps, record, batch=2), want)
