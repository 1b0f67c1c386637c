"""What quantization changed: float network against integer network on the same samples."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.core.network import Input, QuantizedNetwork
from hw_sim.engine.fast import simulate
from hw_sim.float_engine import simulate_float
from hw_sim.simulation import Record, Simulation


class HasInput(Protocol):
    """Whatever knows how its inputs are encoded."""

    @property
    def input(self) -> Input:
        """Shape, range and scale of the input."""


def raw_inputs(network: HasInput, real: Tensor) -> NDArray[np.int8]:
    """Raw integers for time-first real inputs, [1, N, ...] or [T, N, ...]."""
    return network.input.encode((real[0] if network.input.static else real).numpy())


def agreement(module: nn.Module, network: QuantizedNetwork, real: Tensor) -> dict[str, Any]:
    """Shares of spikes changed and of state values at the format's limits, per layer, over `real`.

    real: [1, N, *shape] (static) or [T, N, *shape].
    """
    return changes(network, simulate_float(module, real, traced=real.shape[1]), real)


def changes(network: QuantizedNetwork, want: Simulation, real: Tensor) -> dict[str, Any]:
    """What `agreement` returns; want: a float simulation of `real` that traced every sample."""
    got = simulate(
        network, raw_inputs(network, real), network.time_steps, Record.everything(network)
    )
    layers = {}
    for population in network.populations:
        a, b = want.traces[population.name], got.traces[population.name]
        limits = population.neuron.state_format
        states = np.stack(list(b.states.values()))
        layers[population.name] = {
            "neurons": int(np.prod(population.shape)),
            "changed": float((a.spikes != b.spikes).mean()),
            "saturated": float(((states == limits.low) | (states == limits.high)).mean()),
        }
    return {
        "samples": len(got.readout),
        "decisions_changed": int((want.decisions != got.decisions).sum()),
        "layers": layers,
    }
