"""The reference engine: the integer specification on numpy, one step after another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.execution import run_steps
from arlif.core.network import QuantizedNetwork
from hw_sim.engines.simulation import Record, Simulation, Trace, check_request, count_type


def simulate(
    network: QuantizedNetwork,
    inputs: NDArray[Any],
    time_steps: int,
    record: Record = Record(),
) -> Simulation:
    """Run raw inputs, [N, *shape] (static) or [T, N, *shape]. Raises ArlifError on a misfit."""
    names = [p.name for p in network.populations]
    check_request(network.input, names, inputs, time_steps, record)
    samples = inputs.shape[network.input.sample_axis]
    readout = np.zeros((samples, *network.readout.shape), np.int64)
    kind = count_type(time_steps)
    sent = (*names, *network.ors)
    counts = {name: np.zeros((samples, *network.shape(name)), kind) for name in sent}
    history: dict[str, list[tuple[Any, Any]]] = {name: [] for name in record.layers}
    for step in run_steps(network, inputs, time_steps):
        for name, moment in step.moments.items():
            counts[name] += moment.spikes.astype(kind)
            if name in history:
                history[name].append((moment.spikes, moment.state if record.states else ()))
        for name, spikes in step.ors.items():
            counts[name] += spikes.astype(kind)
        readout += step.readout
    return Simulation(readout, counts, {name: _trace(steps) for name, steps in history.items()})


def _trace(steps: list[tuple[Any, Any]]) -> Trace:
    spikes, states = zip(*steps, strict=True)
    names = getattr(states[0], "_fields", ())
    return Trace(
        np.stack(spikes),
        {
            name: np.stack([getattr(state, name) for state in states]).astype(np.int32)
            for name in names
        },
    )
