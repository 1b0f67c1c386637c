"""What quantization changed: float network against integer network on the same samples."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.base.cut import cut
from arlif.core.network import Population, QuantizedNetwork
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Record, Simulation, joined, raw_inputs

TRACE_BYTES = 2**28
"""Bound on the traces that are alive at once; at least one sample's."""


def agreement(
    module: nn.Module,
    network: QuantizedNetwork,
    real: Tensor,
    labels: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Shares of spikes changed and of state values at the format's limits, per layer, over `real`.

    Beside them: decisions changed, and the share of inputs beyond the range of the network's input.
    real: [1, N, *shape] (static) or [T, N, *shape]. labels: [N]; with them, both accuracies too.
    """
    return agreements(module, (network,), real, labels)[0]


def agreements(
    module: nn.Module,
    networks: Sequence[QuantizedNetwork],
    real: Tensor,
    labels: NDArray[np.int64] | None = None,
    trace_bytes: int = TRACE_BYTES,
) -> list[dict[str, Any]]:
    """What `agreement` returns, for several networks at once; traces stay below `trace_bytes`."""
    changes = [_Changes(network) for network in networks]
    size = max(1, trace_bytes // max(1, *map(_bytes_per_sample, networks)))
    for part in cut(real.shape[1], size):
        want = simulate_float(module, real[:, part], traced=part.stop - part.start)
        for each in changes:
            each.add(want, real[:, part])
    return [each.shares(labels) for each in changes]


class _Changes:
    """What one network changes, added up part by part of the samples."""

    def __init__(self, network: QuantizedNetwork) -> None:
        self.network, self.engine = network, FastEngine(network)
        self.changed = dict.fromkeys((p.name for p in network.populations), 0)
        self.saturated = dict(self.changed)
        self.clipped = 0.0
        self.want: list[Simulation] = []
        self.got: list[Simulation] = []

    def add(self, want: Simulation, real: Tensor) -> None:
        """Compare with a float simulation of `real` that traced every sample."""
        network = self.network
        record = Record.everything(network)
        got = self.engine.simulate(raw_inputs(network, real), network.time_steps, record)
        for population in network.populations:
            name, limits = population.name, population.neuron.state_format
            trace = got.traces[name]
            if population.neuron.fires:  # the float network has no integrator among its neurons
                self.changed[name] += int((want.traces[name].spikes != trace.spikes).sum())
            self.saturated[name] += sum(
                int(((values == limits.low) | (values == limits.high)).sum())
                for values in trace.states.values()
            )
        self.clipped += network.input.clipped(real) * len(want.readout)
        self.want.append(want.answers)
        self.got.append(got.answers)

    def shares(self, labels: NDArray[np.int64] | None) -> dict[str, Any]:
        """Everything added up, as plain data."""
        want, got = joined(self.want), joined(self.got)
        samples = len(got.readout)
        steps = samples * self.network.time_steps
        layers = {}
        for population in self.network.populations:
            name, neurons = population.name, prod(population.shape)
            layers[name] = {
                "neurons": neurons,
                "changed": self.changed[name] / (steps * neurons),
                "saturated": self.saturated[name] / (steps * neurons * _variables(population)),
            }
        answers = {"float_accuracy": want, "accuracy": got}
        known = {} if labels is None else {n: a.accuracy(labels) for n, a in answers.items()}
        return {
            "samples": samples,
            **known,
            "decisions_changed": samples - got.correct(want.decisions),
            "inputs_clipped": self.clipped / samples,
            "layers": layers,
        }


def _bytes_per_sample(network: QuantizedNetwork) -> int:
    """What spikes (1 byte) and states (4 bytes) of every time step take, float and integer."""
    return (
        2
        * network.time_steps
        * sum(prod(p.shape) * (1 + 4 * _variables(p)) for p in network.populations)
    )


def _variables(population: Population) -> int:
    return len(population.neuron.variables)
