"""Synaptic operations time step by time step, from recorded spikes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.errors import require
from hw_sim.energy.connections import fan_out
from hw_sim.energy.counter import input_frames, synaptic_operations
from hw_sim.simulation import Simulation


def operations_over_time(
    network: QuantizedNetwork, inputs: NDArray[Any], simulation: Simulation
) -> dict[str, NDArray[np.int64]]:
    """Synaptic operations that arrive at each layer, int64 [T, N], for the recorded samples.

    inputs: the raw inputs of at least these samples. A static image arrives at every step.
    Raises ArlifError where the spikes of a population were not recorded.
    """
    names = [p.name for p in network.populations]
    require(
        bool(names) and all(name in simulation.traces for name in names),
        "the spikes of some populations were not recorded; simulate with traces",
    )
    spikes = {name: simulation.traces[name].spikes for name in names}
    steps, samples = spikes[names[0]].shape[:2]
    frames = input_frames(network, inputs, steps)
    sent: dict[str, NDArray[Any]] = {INPUT: frames[:, :samples], **spikes}
    arriving = {}
    for name in (*names, READOUT):
        arriving[name] = np.zeros((steps, samples), np.int64)
        for projection in network.incoming(name):
            events = sent[projection.source]
            arriving[name] += synaptic_operations(fan_out(network, projection), events)
    return arriving
