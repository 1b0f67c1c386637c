"""QuantizedNetwork: a whole spiking network as integers, proven consistent when it is built."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arlif.core.equality import ArrayEquality, frozen_array
from arlif.core.formats import nearest_integer
from arlif.core.linear import (
    Interval,
    LinearMap,
    Shape,
    chain_interval,
    chain_shape,
)
from arlif.core.neurons import IntegerNeuron
from arlif.errors import NetworkError, require

NUMERICS_VERSION = 1
"""Version of docs/numerics.md that artifacts are written for; loaders refuse any other."""

INT32 = np.iinfo(np.int32)
INPUT = "input"
READOUT = "readout"
SPIKES: Interval = (0, 1)


@dataclass(frozen=True)
class Input:
    """The network's input: raw integers, real = raw * scale.

    shape: (C, H, W) or (features,). low, high: raw range, within [-127, 127] and around 0.
    static: one frame [N, *shape] shown at every time step; else frames [T, N, *shape].
    """

    shape: Shape
    scale: float
    low: int = -127
    high: int = 127
    static: bool = True

    def __post_init__(self) -> None:
        _require_shape(INPUT, self.shape)
        require(
            -127 <= self.low <= 0 <= self.high <= 127 and self.low < self.high,
            f"the raw input range lies within [-127, 127] and contains 0, "
            f"not [{self.low}, {self.high}]",
            NetworkError,
        )
        require(
            bool(np.isfinite(self.scale)) and self.scale > 0,
            f"the input scale must be a positive number, not {self.scale}",
            NetworkError,
        )

    def encode(self, real: ArrayLike) -> NDArray[np.int8]:
        """Nearest raw values of real inputs, ties to even, clipped. Raises ArlifError."""
        real = np.asarray(real, np.float64)
        rank = len(self.shape) + (1 if self.static else 2)
        layout = "[N, ...]" if self.static else "[T, N, ...]"
        require(
            real.ndim == rank and real.shape[-len(self.shape) :] == self.shape,
            f"this network takes inputs {layout} with shape {self.shape} behind; got {real.shape}",
            NetworkError,
        )
        return nearest_integer(real / self.scale, self.low, self.high).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Projection(ArrayEquality):
    """Adds (maps applied to the source) << shift to the target's accumulator. It never rounds."""

    source: str
    target: str
    maps: tuple[LinearMap, ...]
    shift: int = 0

    def __post_init__(self) -> None:
        require(
            0 <= self.shift <= 24,
            f"projection {self}: shift must be 0 to 24, not {self.shift}",
            NetworkError,
        )

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, eq=False)
class Population(ArrayEquality):
    """Neurons of one kind. Input current = round_to_zero(acc gain / 2**gain_shift) + bias.

    shape: (C, H, W) or (features,). gain: uint8 [C]; bias: int32 [C], raw in the state format.
    """

    name: str
    shape: Shape
    neuron: IntegerNeuron
    gain: NDArray[np.uint8]
    gain_shift: int
    bias: NDArray[np.int32]

    def __post_init__(self) -> None:
        _require_shape(self.name, self.shape)
        gain, bias = np.asarray(self.gain), np.asarray(self.bias)
        channels = (self.shape[0],)
        require(
            gain.shape == channels and bias.shape == channels,
            f"population {self.name}: gain and bias need one value per channel, shape {channels}; "
            f"got {gain.shape} and {bias.shape}",
            NetworkError,
        )
        require(
            bool((gain >= 0).all() and (gain <= 255).all()) and 0 <= self.gain_shift <= 31,
            f"population {self.name}: gains are 0 to 255 and their shift 0 to 31; got "
            f"{gain.min()} to {gain.max()}, shift {self.gain_shift}",
            NetworkError,
        )
        state = self.neuron.state_format
        require(
            bool((bias >= state.low).all() and (bias <= state.high).all()),
            f"population {self.name}: the bias must lie in the state format, {state.low} to "
            f"{state.high}, but reaches {bias.min()} to {bias.max()}; use a wider format",
            NetworkError,
        )
        object.__setattr__(self, "gain", frozen_array(gain, np.uint8))
        object.__setattr__(self, "bias", frozen_array(bias, np.int32))

    def per_neuron(self, channel_values: NDArray[Any]) -> NDArray[Any]:
        """Per-channel values shaped to broadcast against [N, *shape]."""
        return channel_values.reshape(-1, *(1 for _ in self.shape[1:]))


@dataclass(frozen=True, eq=False)
class Readout(ArrayEquality):
    """Sums its accumulator plus bias over time; the decision is the argmax, first of equals.

    bias: int32 [classes], in accumulator units. scale: real logit = raw * scale.
    """

    bias: NDArray[np.int32]
    scale: float = 1.0
    name: str = field(default=READOUT, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bias", frozen_array(self.bias, np.int32))
        require(
            self.bias.ndim == 1 and self.bias.size > 0,
            f"a readout needs one bias per class, not shape {self.bias.shape}",
            NetworkError,
        )
        require(
            bool(np.isfinite(self.scale)) and self.scale > 0,
            f"the readout scale must be a positive number, not {self.scale}",
            NetworkError,
        )

    @property
    def shape(self) -> Shape:
        """(classes,)"""
        return (int(self.bias.size),)


@dataclass(frozen=True, eq=False)
class QuantizedNetwork(ArrayEquality):
    """A feed-forward graph: input and populations, joined by projections, into one readout.

    The constructor proves that names are unique, shapes fit, the graph has no cycle, everything is
    driven and reaches the readout, and no accumulator can leave int32.
    time_steps: T that the network was trained for, at least 1.
    Raises NetworkError.
    """

    input: Input
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    readout: Readout
    time_steps: int

    def __post_init__(self) -> None:
        require(
            self.time_steps >= 1,
            f"a network runs for at least 1 time step, not {self.time_steps}",
            NetworkError,
        )
        names = [INPUT, *(p.name for p in self.populations), READOUT]
        require(
            len(set(names)) == len(names) and all(_is_name(name) for name in names),
            f"node names must be distinct, non-empty and without '/' or '.'; got {names}",
            NetworkError,
        )
        for projection in self.projections:
            for end in (projection.source, projection.target):
                require(end in names, f"projection {projection}: no node {end!r}", NetworkError)
        ordered = self._sorted_populations()
        object.__setattr__(self, "populations", ordered)
        for population in ordered:
            self._check_node(population)
        self._check_node(self.readout)
        fed = {p.source for p in self.projections}
        unused = [name for name in names if name not in fed and name != READOUT]
        require(
            not unused,
            f"these nodes lead nowhere: {', '.join(unused)}; connect or remove them",
            NetworkError,
        )

    def _sorted_populations(self) -> tuple[Population, ...]:
        """Sources before targets, otherwise in the given order."""
        waiting = {p.name: p for p in self.populations}
        sources: dict[str, set[str]] = {name: set() for name in waiting}
        for projection in self.projections:
            require(
                projection.source != READOUT and projection.target != INPUT,
                f"projection {projection}: nothing leaves the readout or enters the input",
                NetworkError,
            )
            if projection.target in waiting and projection.source in waiting:
                sources[projection.target].add(projection.source)
        ordered = []
        while waiting:
            ready = next((name for name in waiting if not sources[name] & waiting.keys()), None)
            require(
                ready is not None,
                f"the network must be feed-forward, but {', '.join(waiting)} hold a cycle; "
                "recurrent connections are not supported",
                NetworkError,
            )
            ordered.append(waiting.pop(str(ready)))
        return tuple(ordered)

    def _check_node(self, node: Population | Readout) -> None:
        incoming = self.incoming(node.name)
        require(bool(incoming), f"{node.name} receives no projection", NetworkError)
        for projection in incoming:
            shape = chain_shape(projection.maps, self.shape(projection.source))
            require(
                shape == node.shape,
                f"projection {projection} delivers shape {shape}, but {node.name} has {node.shape}",
                NetworkError,
            )
        low, high = self.accumulator_interval(node.name)
        if isinstance(node, Readout):
            low, high = low + int(node.bias.min()), high + int(node.bias.max())
        require(
            INT32.min <= low and high <= INT32.max,
            f"the accumulator of {node.name} may reach [{low}, {high}], past int32; "
            "use fewer inputs, smaller weights or smaller shifts",
            NetworkError,
        )

    @cached_property
    def _nodes(self) -> dict[str, Input | Population | Readout]:
        return {INPUT: self.input, **{p.name: p for p in self.populations}, READOUT: self.readout}

    def shape(self, name: str) -> Shape:
        """Shape of a node's output, without time and batch."""
        return self._nodes[name].shape

    def incoming(self, name: str) -> tuple[Projection, ...]:
        """The projections into a node."""
        return tuple(p for p in self.projections if p.target == name)

    def source_interval(self, name: str) -> Interval:
        """The values a node can send: the input's raw range, or spikes."""
        return (self.input.low, self.input.high) if name == INPUT else SPIKES

    def accumulator_interval(self, name: str) -> Interval:
        """The proven range of a node's accumulator."""
        low = high = 0
        for projection in self.incoming(name):
            reach = chain_interval(projection.maps, self.source_interval(projection.source))
            low, high = low + (reach[0] << projection.shift), high + (reach[1] << projection.shift)
        return low, high

    def accumulator_bits(self, name: str) -> int:
        """The two's complement width that a node's accumulator needs."""
        low, high = self.accumulator_interval(name)
        return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1

    @cached_property
    def depth(self) -> dict[str, int]:
        """Longest path from the input to each node, in projections; the input has 0."""
        depth = {INPUT: 0}
        for name in (*(p.name for p in self.populations), READOUT):
            depth[name] = 1 + max(depth[p.source] for p in self.incoming(name))
        return depth


def _is_name(name: str) -> bool:
    return bool(name) and "/" not in name and "." not in name


def _require_shape(name: str, shape: Shape) -> None:
    require(
        len(shape) in (1, 3) and min(shape) >= 1,
        f"{name}: a shape is (C, H, W) or (features,) of positive sizes, not {shape}",
        NetworkError,
    )
