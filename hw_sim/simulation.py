"""What every engine takes and returns: what to record, and the spikes, states and decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import Input, QuantizedNetwork
from arlif.errors import require


@dataclass(frozen=True)
class Record:
    """Which populations' spikes to keep step by step, and whether to keep their states too."""

    layers: tuple[str, ...] = ()
    states: bool = False

    @classmethod
    def everything(cls, network: QuantizedNetwork, states: bool = True) -> "Record":
        """Every population of a network."""
        return cls(tuple(p.name for p in network.populations), states)


@dataclass(frozen=True)
class Trace:
    """One population over time. spikes: bool [T, N, *shape]; states: int32 of that shape each."""

    spikes: NDArray[np.bool_]
    states: dict[str, NDArray[np.int32]] = field(default_factory=dict)


@dataclass(frozen=True)
class Simulation:
    """The outcome of one run.

    readout: int64 [N, classes], summed over time. counts: per population, [N, *shape], spikes of
    every neuron summed over time, in the count_type of T (real-valued networks: int32). traces:
    what was asked to be recorded.
    """

    readout: NDArray[np.int64]
    counts: dict[str, NDArray[np.integer]]
    traces: dict[str, Trace]

    @property
    def decisions(self) -> NDArray[np.int64]:
        """The class of each sample: argmax of the readout, the first of equals."""
        return np.argmax(self.readout, axis=1)

    def confusion(self, labels: NDArray[np.integer]) -> NDArray[np.int64]:
        """Samples by (label, decision), [classes, classes]. Raises ArlifError on other labels."""
        classes = self.readout.shape[1]
        require(
            bool(((labels >= 0) & (labels < classes)).all()),
            f"labels of {classes} classes lie in 0 to {classes - 1}, not {labels.min()} to "
            f"{labels.max()}; give each sample's class",
        )
        counts = np.bincount(labels * classes + self.decisions, minlength=classes**2)
        return counts.reshape(classes, classes)


def count_type(time_steps: int) -> np.dtype[np.integer]:
    """The narrowest type of spikes per neuron: one byte where T is at most 255."""
    return np.min_scalar_type(time_steps)


def joined(parts: Sequence[Simulation]) -> Simulation:
    """One simulation of all samples from simulations of consecutive batches.

    Batches that recorded nothing follow those that did. Takes the counts out of the parts, layer by
    layer, so that they are not held twice.
    """
    traced = [part.traces for part in parts if part.traces]
    return Simulation(
        np.concatenate([part.readout for part in parts]),
        {name: np.concatenate([p.counts.pop(name) for p in parts]) for name in [*parts[0].counts]},
        {
            name: Trace(
                np.concatenate([traces[name].spikes for traces in traced], axis=1),
                {
                    state: np.concatenate([traces[name].states[state] for traces in traced], axis=1)
                    for state in traced[0][name].states
                },
            )
            for name in (traced[0] if traced else ())
        },
    )


class TakesInput(Protocol):
    """A network, or a file that holds one."""

    @property
    def input(self) -> Input:
        """What it is fed with."""


def raw_inputs(network: TakesInput, real: Any) -> NDArray[np.int8]:
    """Raw integers for time-first real inputs, a tensor [1, N, ...] (static) or [T, N, ...]."""
    return network.input.encode((real[0] if network.input.static else real).numpy())


def check_inputs(network: TakesInput, inputs: NDArray[Any], time_steps: int) -> None:
    """Raise ArlifError unless raw inputs fit the network and the number of time steps."""
    source = network.input
    require(time_steps >= 1, f"a simulation runs for at least 1 time step, not {time_steps}")
    lead = ("N",) if source.static else (time_steps, "N")
    rank = len(source.shape) + len(lead)
    require(
        inputs.ndim == rank
        and inputs.shape[-len(source.shape) :] == source.shape
        and (source.static or inputs.shape[0] == time_steps),
        f"inputs must be [{', '.join(map(str, (*lead, *source.shape)))}], got {inputs.shape}",
    )
    require(
        np.issubdtype(inputs.dtype, np.integer)
        and (inputs.size == 0 or (inputs.min() >= source.low and inputs.max() <= source.high)),
        f"inputs must be integers in [{source.low}, {source.high}]; "
        "convert real data with network.input.encode(data)",
    )
