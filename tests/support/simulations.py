"""Simulations compared in every bit, and what networks of other libraries do as integers."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.core.network import QuantizedNetwork
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record, Simulation


def as_integers(
    network: nn.Module, x: Tensor, layer: str
) -> tuple[QuantizedNetwork, NDArray[np.bool_]]:
    """A network quantized on x [T, N, ...], and the spikes of a layer on it."""
    shape = tuple(x.shape[2:])
    scale = calibrate_input(x.numpy(), shape, False)
    integers = quantize(linearize(network, shape), scale, Precision(), len(x))
    found = simulate(integers, integers.input.encode(x.numpy()), len(x), Record((layer,)))
    return integers, found.traces[layer].spikes


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
