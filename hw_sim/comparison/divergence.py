"""Compares two simulations bit for bit and names the first divergence."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.graph import SPIKES
from arlif.core.network import READOUT, QuantizedNetwork
from hw_sim.engines.simulation import Simulation

SUM, COUNT = "sum", "spike count"
"""What Divergence.variable says of a readout, and of a neuron's spikes over all steps."""


@dataclass(frozen=True)
class Divergence:
    """Where two engines first differ, in causal order: step, then layer, then sample, neuron.

    step: None of what is summed over all steps, a readout or a spike count.
    """

    sample: int
    layer: str
    step: int | None
    neuron: tuple[int, ...]
    variable: str
    want: int
    got: int

    def __str__(self) -> str:
        step = "" if self.step is None else f" step {self.step},"
        return (
            f"sample {self.sample}, layer {self.layer},{step} neuron {self.neuron}: "
            f"{self.variable} should be {self.want}, got {self.got}"
        )


@dataclass(frozen=True)
class LayerComparison:
    """Counts for one layer; states are those that both simulations recorded."""

    layer: str
    spikes_compared: int
    spikes_different: int
    states_compared: int
    states_different: int

    @property
    def spikes_changed(self) -> float:
        """The share of spikes and silences that differ, 0 to 1."""
        return self.spikes_different / max(1, self.spikes_compared)


@dataclass(frozen=True)
class Comparison:
    """The verdict on two simulations of the same samples.

    traced: how many of the samples, the first ones, were compared step by step. Of all samples:
    counts, the spikes of every neuron over all steps; readouts; decisions.
    """

    samples: int
    traced: int
    layers: tuple[LayerComparison, ...]
    counts_compared: int
    counts_different: int
    readouts_compared: int
    readouts_different: int
    decisions_different: int
    first: Divergence | None

    @property
    def equal(self) -> bool:
        """Whether every recorded value agrees."""
        return self.first is None

    @property
    def spikes_compared(self) -> int:
        """Spikes or silences looked at, over all layers, steps and samples."""
        return sum(layer.spikes_compared for layer in self.layers)

    @property
    def states_compared(self) -> int:
        """State values looked at; 0 where an engine records none."""
        return sum(layer.states_compared for layer in self.layers)

    @property
    def states_different(self) -> int:
        """How many of them differ."""
        return sum(layer.states_different for layer in self.layers)

    @property
    def spikes_different(self) -> int:
        """How many of them differ."""
        return sum(layer.spikes_different for layer in self.layers)

    @property
    def spikes_changed(self) -> float:
        """The share of spikes and silences that differ, 0 to 1."""
        return self.spikes_different / max(1, self.spikes_compared)


def compare(network: QuantizedNetwork, want: Simulation, got: Simulation) -> Comparison:
    """Compare all samples, layers, states, spike counts and readouts that both simulations hold.

    Raises ArlifError where they share no recorded layer, or are of other steps or neurons.
    """
    samples = min(len(want.readout), len(got.readout))
    traced = min(want.recorded, got.recorded)
    silent = not network.populations  # a readout of the input alone
    require(traced > 0 or silent, "a simulation holds no traces; simulate with --trace")
    layers, at_a_step = _traces_compared(network, want, got, traced)
    require(
        bool(layers) or silent,
        "the two simulations share no recorded layer; simulate both with traces",
    )
    compared, different, at_the_end = _sums_compared(network, want, got, samples)
    found = sorted([*at_a_step, *at_the_end], key=lambda placed: placed[0])
    decisions = want.decisions[:samples] != got.decisions[:samples]
    return Comparison(
        samples,
        traced,
        tuple(layers),
        counts_compared=compared[COUNT],
        counts_different=different[COUNT],
        readouts_compared=compared[SUM],
        readouts_different=different[SUM],
        decisions_different=int(decisions.sum()),
        first=found[0][1] if found else None,
    )


Placed = tuple[tuple[float, ...], Divergence]
"""A divergence behind what orders causes before effects: step, depth, spikes first, sample."""


def _traces_compared(
    network: QuantizedNetwork, want: Simulation, got: Simulation, traced: int
) -> tuple[list[LayerComparison], list[Placed]]:
    """Every layer that both recorded, step by step, and where its variables first differ."""
    layers, found = [], list[Placed]()
    for population in network.populations:
        name = population.name
        if name not in want.traces or name not in got.traces:
            continue
        wanted, had = want.traces[name], got.traces[name]
        pairs: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {SPIKES: (wanted.spikes, had.spikes)}
        for state in wanted.states:
            if state in had.states:
                pairs[state] = wanted.states[state], had.states[state]
        wrong = {}
        for variable, (a, b) in pairs.items():
            require(
                a.shape[0] == b.shape[0] and a.shape[2:] == b.shape[2:],
                f"layer {name} was recorded over {a.shape[0]} and {b.shape[0]} steps, shapes "
                f"{a.shape[2:]} and {b.shape[2:]}; simulate both again from the same network",
            )
            a, b = a[:, :traced], b[:, :traced]
            wrong[variable] = a != b
            for index in _first(wrong[variable]):
                step, sample, *neuron = index
                place = Divergence(
                    sample, name, step, tuple(neuron), variable, int(a[index]), int(b[index])
                )
                found.append(((step, network.depth[name], variable != SPIKES, sample), place))
        spikes = wrong.pop(SPIKES)
        layers.append(
            LayerComparison(
                name,
                spikes.size,
                int(spikes.sum()),
                sum(state.size for state in wrong.values()),
                sum(int(state.sum()) for state in wrong.values()),
            )
        )
    return layers, found


def _sums_compared(
    network: QuantizedNetwork, want: Simulation, got: Simulation, samples: int
) -> tuple[Counter[str], Counter[str], list[Placed]]:
    """By variable, how many sums over time were compared and differ, and the first of each node."""
    compared, different, found = Counter[str](), Counter[str](), list[Placed]()
    for name, variable, a, b in _sums(want, got):
        a, b = a[:samples], b[:samples]
        require(
            a.shape == b.shape,
            f"layer {name} has neurons {a.shape[1:]} in one simulation, {b.shape[1:]} in the "
            "other; simulate both again from the same network",
        )
        wrong = a != b
        compared[variable] += wrong.size
        different[variable] += int(wrong.sum())
        depth = network.depth[name.partition(".")[0]]
        for index in _first(wrong):
            sample, *neuron = index
            place = Divergence(
                sample, name, None, tuple(neuron), variable, int(a[index]), int(b[index])
            )
            found.append(((inf, depth, 0, sample), place))
    return compared, different, found


def _sums(
    want: Simulation, got: Simulation
) -> Iterator[tuple[str, str, NDArray[Any], NDArray[Any]]]:
    """What both hold of all samples, summed over time: node, or OR behind one, variable, values."""
    yield READOUT, SUM, want.readout, got.readout
    for name in want.counts:
        if name in got.counts:
            yield name, COUNT, want.counts[name], got.counts[name]


def _first(wrong: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """The index of the first wrong value; none where all agree."""
    if not wrong.any():
        return []
    return [tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))]
