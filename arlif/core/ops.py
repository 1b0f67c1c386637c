"""What a number is: the six operations every backend supplies, and the reference on numpy."""

from typing import Any, Protocol

import numpy as np

from arlif.core.formats import FixedPointFormat
from arlif.core.tables import LookupTable


class Value(Protocol):
    """A number of a step: an array, a tensor, a symbol or a Python number; no other operators."""

    def __add__(self, other: Any, /) -> "Value": ...

    def __radd__(self, other: Any, /) -> "Value": ...

    def __sub__(self, other: Any, /) -> "Value": ...

    def __rsub__(self, other: Any, /) -> "Value": ...

    def __neg__(self) -> "Value": ...

    def __ge__(self, other: Any, /) -> "Value": ...


class Ops(Protocol):
    """The arithmetic a step is written in, beside +, -, unary - and >= on values."""

    def multiply(self, value: Value, factor: Value) -> Value:
        """value * factor; integers: value * factor / 2**factor_bits, rounded toward zero."""

    def saturate(self, value: Value) -> Value:
        """The nearest value of the state format."""

    def where(self, condition: Value, a: Value, b: Value) -> Value:
        """a where the condition holds, else b."""

    def fire(self, h: Value, theta: Value) -> Value:
        """Spikes: h >= theta."""

    def select(self, spikes: Value, fired: Value, silent: Value) -> Value:
        """`fired` where there is a spike, else `silent`; differentiable in spikes when training."""

    def lookup(self, table: Any, x: Value) -> Value:
        """The function of x: integers read it from a table."""


class NumpyChoices:
    """Comparisons and choices on numpy arrays, the same for integers and reals."""

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return np.where(condition, a, b)

    def fire(self, h: Any, theta: Any) -> Any:
        return h >= theta

    def select(self, spikes: Any, fired: Any, silent: Any) -> Any:
        return np.where(spikes, fired, silent)


class IntegerOps(NumpyChoices):
    """The integer specification on numpy int32 arrays; every other engine must equal it.

    factor_bits: binary digits of factors; 2**factor_bits stands for 1.0.
    """

    def __init__(self, state_format: FixedPointFormat, factor_bits: int) -> None:
        self.low, self.high = state_format.low, state_format.high
        self.factor_bits = factor_bits

    def multiply(self, value: Any, factor: Any) -> Any:
        product = np.asarray(value, np.int64) * np.asarray(factor, np.int64)
        towards_zero = (product >> 63) & ((1 << self.factor_bits) - 1)
        return (product + towards_zero) >> self.factor_bits

    def saturate(self, value: Any) -> Any:
        return np.clip(value, self.low, self.high).astype(np.int32)

    def lookup(self, table: LookupTable, x: Any) -> Any:
        return table.values[(np.clip(x, table.low, table.high) - table.low) >> table.shift]
