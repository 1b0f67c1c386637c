"""Loops and delays in ONNX: every bit of the reference, for another N and T than before."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from support.loops import LoopCase, loop_cases

from export.onnx import write_onnx
from hw_sim.engines.integer import reference
from hw_sim.engines.onnx import simulate
from hw_sim.engines.simulation import Record


@settings(max_examples=20)
@given(case=loop_cases())
def test_onnx_equals_the_reference(case: LoopCase, tmp_path_factory) -> None:
    path = Path(tmp_path_factory.mktemp("onnx")) / "network.onnx"
    write_onnx(case.network, path, states=True)
    record = Record.everything(case.network)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    got = simulate(path, case.inputs, case.time_steps, record)
    assert np.array_equal(want.readout, got.readout)
    for name, trace in want.traces.items():
        assert np.array_equal(trace.spikes, got.traces[name].spikes)
        for variable, values in trace.states.items():
            assert np.array_equal(values, got.traces[name].states[variable])
