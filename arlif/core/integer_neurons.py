"""Integer neurons: the constants a step reads, as frozen data that checks itself."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, NetworkError, require
from arlif.core.equality import ArrayEquality, frozen_array
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Shape
from arlif.core.ops import IntegerOps, Ops, Value
from arlif.core.real_neurons import NumpyRealOps, RealArlif, RealFunction
from arlif.core.steps import (
    After,
    ArlifState,
    CubaState,
    LifState,
    Stateful,
    arlif_step,
    cuba_step,
    lif_hard_step,
    lif_soft_step,
    lif_subtract_step,
)
from arlif.core.tables import LookupTable, TableDomain


def require_factor_bits(bits: int, error: type[ArlifError] = ArlifError) -> None:
    """Raise `error` where factors cannot have so many binary digits."""
    require(
        1 <= bits <= 16,
        f"factors have 1 to 16 bits, not {bits}; 8 (compact16) and 12 (loihi24) are the presets'",
        error,
    )


@dataclass(frozen=True, eq=False)
class IntegerNeuron(Stateful, ArrayEquality):
    """What every integer neuron has.

    state_format: format of the input current and of every state variable.
    factor_bits: binary digits of decay and gates, 1 to 16; 2**factor_bits stands for 1.0.
    decay: raw decay factor k of the membrane potential, 0 to 2**factor_bits.
    """

    state_format: FixedPointFormat
    factor_bits: int
    decay: int

    def __post_init__(self) -> None:
        require_factor_bits(self.factor_bits, NetworkError)
        require(
            0 <= self.decay <= self.one,
            f"the decay must be 0 to 2**factor_bits = {self.one}, not {self.decay}",
            NetworkError,
        )

    @property
    def one(self) -> int:
        """The raw factor that stands for 1.0."""
        return 1 << self.factor_bits

    def ops(self) -> IntegerOps:
        """The reference arithmetic for this neuron's state format."""
        return IntegerOps(self.state_format)

    def require_shape(self, shape: Shape) -> None:
        """Raise NetworkError where constants per channel do not fit neurons of `shape`."""

    def _require_representable(self, name: str, raw: Any) -> None:
        low, high = self.state_format.low, self.state_format.high
        require(
            bool(np.min(raw) >= low and np.max(raw) <= high),
            f"{name} must lie in the state format, {low} to {high}, but reaches "
            f"{np.min(raw)} to {np.max(raw)}; use a wider state format",
            NetworkError,
        )


@dataclass(frozen=True, eq=False)
class IntegerArlif(IntegerNeuron):
    """Adaptive-reset LIF with alpha, beta and the threshold folded into four tables.

    threshold(x), drive(x) = sigma(x), reset(r) = sigma(r): values in the state format.
    gate(x) = sigma(alpha x): values 0 to 2**factor_bits. memory: False restarts r at 0 every step.
    """

    threshold: LookupTable
    gate: LookupTable
    drive: LookupTable
    reset: LookupTable
    memory: bool = True

    state_type = ArlifState

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("threshold", "drive", "reset"):
            self._require_representable(f"table {name}", getattr(self, name).values)
        gate = self.gate.values
        require(
            bool(gate.min() >= 0 and gate.max() <= self.one),
            f"gate values must be 0 to 2**factor_bits = {self.one}, "
            f"but reach {gate.min()} to {gate.max()}",
            NetworkError,
        )

    def step(self, ops: Ops, state: ArlifState, x: Value) -> After:
        return arlif_step(ops, self, state, x)

    @classmethod
    def sample(cls, neuron: RealArlif, numbers: "Numbers") -> "IntegerArlif":
        """Fold a real-valued neuron with float constants into tables, once."""
        state, factor_one = numbers.state_format, 1 << numbers.factor_bits

        def table(function: RealFunction, one: int) -> LookupTable:
            return numbers.tables.sample(lambda x: function(NumpyRealOps(), x), state, one)

        return cls(
            state,
            numbers.factor_bits,
            round(neuron.decay * factor_one),
            threshold=table(neuron.threshold, state.one),
            gate=table(neuron.gate, factor_one),
            drive=table(neuron.drive, state.one),
            reset=table(neuron.reset, state.one),
            memory=neuron.memory,
        )


@dataclass(frozen=True, eq=False)
class IntegerLif(IntegerNeuron):
    """LIF with a constant raw threshold; it fires on h >= threshold."""

    threshold: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_representable("threshold", self.threshold)


@dataclass(frozen=True, eq=False)
class IntegerLifSoft(IntegerLif):
    """LIF whose spike subtracts the threshold."""

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_soft_step(ops, self, state, x)


@dataclass(frozen=True, eq=False)
class IntegerLifSubtract(IntegerLif):
    """LIF whose spike subtracts `amount`; `hold` raises the threshold while u is above it."""

    amount: int
    hold: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_representable("amount", self.amount)
        self._require_representable("threshold + hold", self.threshold + self.hold)

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_subtract_step(ops, self, state, x)


@dataclass(frozen=True, eq=False)
class IntegerLifHard(IntegerLif):
    """LIF whose spike sets the membrane potential to zero."""

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        return lif_hard_step(ops, self, state, x)


@dataclass(frozen=True, eq=False)
class IntegerCuba(IntegerNeuron):
    """Current-based LIF of Loihi, as Lava simulates it: read from lava-dl, never trained here.

    state_format: one bit wider than Loihi's registers, 25 bits, since u can be +2**23.
    decay, current_decay: raw factors kept of the membrane potential and of the synaptic current.
    threshold: raw; it fires on v >= threshold, so Lava's `v > vth` is vth + 1.
    bias: int32, added to v at every step, one value per channel, shaped [features] or [C, 1, 1].
    """

    current_decay: int
    threshold: int
    bias: NDArray[np.int32]

    state_type = CubaState

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "bias", frozen_array(self.bias, np.int32))
        require(
            0 <= self.current_decay <= self.one,
            f"the current decay must be 0 to 2**factor_bits = {self.one}, not {self.current_decay}",
            NetworkError,
        )
        self._require_representable("threshold", self.threshold)
        require(
            self.bias.ndim in (1, 3) and self.bias.size > 0 and self.bias.shape[1:] in ((), (1, 1)),
            f"the bias has one value per channel, [features] or [C, 1, 1], not {self.bias.shape}",
            NetworkError,
        )
        self._require_representable("bias", self.bias)

    @property
    def limit(self) -> int:
        """The largest membrane potential; -limit is the smallest."""
        return (1 << (self.state_format.bits - 2)) - 1

    def step(self, ops: Ops, state: CubaState, x: Value) -> After:
        return cuba_step(ops, self, state, x)

    def require_shape(self, shape: Shape) -> None:
        require(
            self.bias.ndim == len(shape) and self.bias.shape[0] == shape[0],
            f"a bias of shape {self.bias.shape} does not fit neurons of shape {shape}",
            NetworkError,
        )


NEURONS: dict[str, type[IntegerNeuron]] = {
    cls.__name__: cls
    for cls in (IntegerArlif, IntegerLifSoft, IntegerLifHard, IntegerLifSubtract, IntegerCuba)
}
"""Every integer neuron by the name it has in files."""


def constants(neuron: IntegerNeuron) -> dict[str, Any]:
    """The neuron's own constants by field name, those every neuron shares left out."""
    shared = {field.name for field in fields(IntegerNeuron)}
    return {f.name: getattr(neuron, f.name) for f in fields(neuron) if f.name not in shared}


@dataclass(frozen=True)
class Numbers:
    """How a neuron's numbers become integers: state format, factor width, table domain."""

    state_format: FixedPointFormat = FixedPointFormat(16, 8)
    factor_bits: int = 8
    tables: TableDomain = TableDomain()

    def __post_init__(self) -> None:
        require_factor_bits(self.factor_bits)


PRESETS: dict[str, Numbers] = {
    "compact16": Numbers(),
    "loihi24": Numbers(FixedPointFormat(24, 12), factor_bits=12),
}
"""compact16: 16-bit state, 8-bit factors. loihi24: the widths of Lava's LIF (24-bit, 12-bit)."""
