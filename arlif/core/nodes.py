"""The parts of a quantized network: input, projections, populations, readout."""

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.equality import ArrayEquality, frozen_array
from arlif.core.formats import real_array, require_finite
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import LinearMap, Shape, Window

LONGEST_DELAY = 1 << 12
"""Time steps that a projection may wait, at most."""
MOST_STEPS = 1 << 16
"""Time steps that a network runs for, and that a neuron reads, at most."""
MOST_VALUES = 1 << 28
"""Values of one frame, or neurons of one population, at most: a byte each is 256 MiB."""

INPUT = "input"
READOUT = "readout"


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
        real = real_array(real)
        rank = len(self.shape) + (1 if self.static else 2)
        layout = "[N, ...]" if self.static else "[T, N, ...]"
        require(
            real.ndim == rank and real.shape[-len(self.shape) :] == self.shape,
            f"this network takes inputs {layout} with shape {self.shape} behind; got {real.shape}",
            NetworkError,
        )
        require_finite(real)
        return np.asarray(self.nearest(real), np.int8)

    def nearest(self, real: Any) -> Any:
        """encode's rule, clip(round(real / scale), low, high), on float64, arrays or tensors."""
        return self._rounded(real).clip(self.low, self.high)

    def clipped(self, real: ArrayLike) -> float:
        """The share of real inputs that lie beyond the raw range."""
        raw = self._rounded(real_array(real))
        return float(((raw < self.low) | (raw > self.high)).mean())

    def _rounded(self, real: Any) -> Any:
        """In raw steps, ties to even; numpy's round and torch's are one."""
        return (real / self.scale).round()

    @property
    def sample_axis(self) -> int:
        """Along which axis of raw inputs samples lie: [N, *shape] (static) or [T, N, *shape]."""
        return 0 if self.static else 1

    def part(self, raw: NDArray[Any], samples: slice) -> NDArray[Any]:
        """Those samples of raw inputs."""
        return raw[samples] if self.static else raw[:, samples]


@dataclass(frozen=True)
class Pooled:
    """The OR of spikes [C, H, W] over windows: 1 where any spike lies under the window.

    source: whose spikes, a node's or another OR's.
    """

    source: str
    window: Window

    @property
    def name(self) -> str:
        """Told apart from every node's by its dot: conv1.or2x2_2x2_0x0_1x1."""
        parts = (getattr(self.window, part) for part in ("kernel", "stride", "padding", "dilation"))
        return f"{self.source}.or" + "_".join("x".join(map(str, part)) for part in parts)

    def output_shape(self, shape: Shape) -> Shape:
        """(C, H', W') for spikes (C, H, W)."""
        return (shape[0], *self.window.output_size(shape))

    def __call__(self, spikes: NDArray[Any]) -> NDArray[Any]:
        """[..., C, H', W'] of spikes [..., C, H, W], in their type."""
        found = self.window.largest(spikes.reshape(-1, *spikes.shape[-3:]))
        return found.reshape(*spikes.shape[:-3], *found.shape[1:])


@dataclass(frozen=True, eq=False)
class Projection(ArrayEquality):
    """Adds (maps applied to the source) << shift to the target's accumulator. It never rounds.

    delay: whole time steps, 0 to LONGEST_DELAY: what the source sends at step t arrives at step
    t + delay. Before step 0 nothing was sent, and what would arrive after the last step does not.
    pools: windows whose OR, one after another, stands between the source's spikes and the maps.
    """

    source: str
    target: str
    maps: tuple[LinearMap, ...]
    shift: int = 0
    delay: int = 0
    pools: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        require(
            0 <= self.delay <= LONGEST_DELAY,
            f"projection {self}: a delay is 0 to {LONGEST_DELAY} whole time steps, not "
            f"{self.delay}",
            NetworkError,
        )
        require(
            0 <= self.shift <= 24,
            f"projection {self}: shift must be 0 to 24, not {self.shift}",
            NetworkError,
        )

    @cached_property
    def ors(self) -> tuple[Pooled, ...]:
        """One behind the other, what the pools make of the source's spikes."""
        found: list[Pooled] = []
        for window in self.pools:
            found.append(Pooled(found[-1].name if found else self.source, window))
        return tuple(found)

    @property
    def entering(self) -> str:
        """The name of what enters the maps: the source, or the last OR."""
        return self.ors[-1].name if self.pools else self.source

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
        self.neuron.require_shape(self.shape)
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


class OverTime(Enum):
    """Which of its values a readout takes of what it reads at every step."""

    LAST = "last"
    LARGEST = "largest"


@dataclass(frozen=True)
class Reading:
    """A readout reads a state variable of a population, after every step, in place of spikes."""

    population: str
    variable: str
    over: OverTime

    def __str__(self) -> str:
        return f"the {self.over.value} {self.variable} of {self.population}"


@dataclass(frozen=True, eq=False)
class Readout(ArrayEquality):
    """Sums its accumulator plus bias over time; the decision is the argmax, first of equals.

    bias: int32 [classes], in accumulator units. scale: real logit = raw * scale. reading: the
    readout is the last or the largest value over time of a state variable plus bias, which is in
    the units of that; nothing arrives then.
    """

    bias: NDArray[np.int32]
    scale: float = 1.0
    reading: Reading | None = None
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

    def read(self, states: NDArray[Any], before: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """The readout after some steps, int64 [N, classes].

        states: [T, N, classes] of the variable that is read. before: what this gave of all steps
        before; None where these are the first.
        """
        assert self.reading is not None, "a readout of spikes reads no state"
        values = states.astype(np.int64) + self.bias
        if self.reading.over is OverTime.LAST:
            return np.asarray(values[-1])
        largest = values.max(0)
        return np.asarray(largest if before is None else np.maximum(before, largest))


def _require_shape(name: str, shape: Shape) -> None:
    require(
        len(shape) in (1, 3) and min(shape) >= 1,
        f"{name}: a shape is (C, H, W) or (features,) of positive sizes, not {shape}",
        NetworkError,
    )
    require(
        prod(map(int, shape)) <= MOST_VALUES,
        f"{name}: a shape has at most {MOST_VALUES:,} values, not {shape}",
        NetworkError,
    )
