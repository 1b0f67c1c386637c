"""Simulations compared in every bit."""

import numpy as np

from hw_sim.engines.simulation import Simulation


def assert_equal(want: Simulation, got: Simulation) -> None:
    np.testing.assert_array_equal(want.readout, got.readout, strict=True)
    assert want.counts.keys() == got.counts.keys()
    for name in want.counts:
        np.testing.assert_array_equal(want.counts[name], got.counts[name], strict=True)
    assert want.traces.keys() == got.traces.keys()
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(trace.spikes, got.traces[name].spikes, strict=True)
        assert trace.states.keys() == got.traces[name].states.keys()
        for state, values in trace.states.items():
            np.testing.assert_array_equal(values, got.traces[name].states[state], strict=True)
