"""What every engine takes and returns: what to record, and the spikes, states and decisions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.network import Input, QuantizedNetwork, require_time_steps


@dataclass(frozen=True)
class Record:
    """Which populations' spikes to keep step by step, and whether to keep their states too."""

    layers: tuple[str, ...] = ()
    states: bool = False

    def __post_init__(self) -> None:
        require(
            not isinstance(self.layers, str),
            f"layers are a tuple of names, not the text {self.layers!r}; give ({self.layers!r},)",
        )

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
    every neuron summed over time, in the count_type of T (real-valued networks: int32); of networks
    with ORs of spikes, what each sent too, under the name that the network gives it. traces: what
    was asked to be recorded.
    """

    readout: NDArray[np.int64]
    counts: dict[str, NDArray[np.integer]]
    traces: dict[str, Trace]

    @property
    def spikes(self) -> dict[str, NDArray[np.integer]]:
        """The counts of populations, whose names hold no dot, unlike those of ORs."""
        return {name: counts for name, counts in self.counts.items() if "." not in name}

    @property
    def decisions(self) -> NDArray[np.int64]:
        """The class of each sample: argmax of the readout, the first of equals."""
        return np.argmax(self.readout, axis=1)

    @property
    def recorded(self) -> int:
        """How many samples, the first ones, every trace holds; 0 where nothing was recorded."""
        return min((trace.spikes.shape[1] for trace in self.traces.values()), default=0)

    @property
    def answers(self) -> "Simulation":
        """The readout alone."""
        return Simulation(self.readout, {}, {})

    @property
    def spikes_only(self) -> "Simulation":
        """The same without states."""
        return replace(self, traces={name: Trace(t.spikes) for name, t in self.traces.items()})

    def first(self, samples: int) -> "Simulation":
        """What there is of the first samples."""
        return Simulation(
            self.readout[:samples],
            {name: counts[:samples] for name, counts in self.counts.items()},
            {
                name: Trace(
                    trace.spikes[:, :samples],
                    {state: values[:, :samples] for state, values in trace.states.items()},
                )
                for name, trace in self.traces.items()
            },
        )

    def correct(self, labels: NDArray[np.integer]) -> int:
        """How many samples are decided as labelled, [N]. Raises ArlifError on other labels."""
        self._require_classes(labels)
        return int((self.decisions == labels).sum())

    def accuracy(self, labels: NDArray[np.integer]) -> float:
        """Share of samples decided as labelled, 0 to 1."""
        return self.correct(labels) / len(self.readout)

    def rates(self, time_steps: int) -> dict[str, float]:
        """Spikes per neuron and time step, by population."""
        return {n: float(c.sum() / c.size / time_steps) for n, c in self.spikes.items()}

    def confusion(self, labels: NDArray[np.integer]) -> NDArray[np.int64]:
        """Samples by (label, decision), [classes, classes]. Raises ArlifError on other labels."""
        self._require_classes(labels)
        classes = self.readout.shape[1]
        counts = np.bincount(labels * classes + self.decisions, minlength=classes**2)
        return counts.reshape(classes, classes)

    def _require_classes(self, labels: NDArray[np.integer]) -> None:
        classes = self.readout.shape[1]
        require(
            bool(((labels >= 0) & (labels < classes)).all()),
            f"labels of {classes} classes lie in 0 to {classes - 1}, not {labels.min()} to "
            f"{labels.max()}; give each sample's class",
        )


def count_type(time_steps: int) -> np.dtype[np.integer]:
    """The narrowest type of spikes per neuron: one byte where T is at most 255."""
    return np.min_scalar_type(time_steps)


def joined(parts: Sequence[Simulation]) -> Simulation:
    """One simulation of all samples from simulations of consecutive batches.

    Batches that recorded nothing follow those that did. Takes the counts out of the parts, layer by
    layer, so that they are not held twice.
    """
    require(len(parts) > 0, "there are no samples to simulate; give at least one sample")
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
    require(
        not network.input.static or real.shape[0] == 1,
        f"this network shows one frame at every time step and takes inputs [1, N, ...], not "
        f"{tuple(real.shape)}: time comes first",
    )
    return network.input.encode(real[0] if network.input.static else real)


def check_request(
    source: Input,
    populations: Collection[str],
    inputs: NDArray[Any],
    time_steps: int,
    record: Record,
) -> None:
    """Raise ArlifError unless a network of this input and these populations can do what is asked.

    inputs: raw, at least one sample. record: of populations that there are.
    """
    require_time_steps(time_steps)
    unknown = ", ".join(name for name in record.layers if name not in populations)
    require(
        not unknown,
        f"there are no populations {unknown} to record; those of this network: "
        f"{', '.join(populations) or 'none'}",
    )
    require(
        isinstance(inputs, np.ndarray),
        f"inputs are a numpy array of raw integers, not {type(inputs).__name__}; convert real data "
        "with network.input.encode(data)",
    )
    lead = ("N",) if source.static else (time_steps, "N")
    rank = len(source.shape) + len(lead)
    require(
        inputs.ndim == rank
        and inputs.shape[-len(source.shape) :] == source.shape
        and (source.static or inputs.shape[0] == time_steps),
        f"inputs must be [{', '.join(map(str, (*lead, *source.shape)))}], got {inputs.shape}",
    )
    require(inputs.size > 0, "there are no samples to simulate; give at least one sample")
    require(
        np.issubdtype(inputs.dtype, np.integer)
        and inputs.min() >= source.low
        and inputs.max() <= source.high,
        f"inputs must be integers in [{source.low}, {source.high}]; "
        "convert real data with network.input.encode(data)",
    )
