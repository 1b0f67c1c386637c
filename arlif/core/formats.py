"""Two's complement fixed point: value = raw * 2**-frac_bits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arlif.base.errors import require


@dataclass(frozen=True)
class FixedPointFormat:
    """A signed fixed-point number format: value = raw * 2**-frac_bits.

    bits: total width, 4 to 30, so that the sum of three values always fits 32 bits.
    frac_bits: binary digits behind the point, 0 to bits - 1.
    """

    bits: int = 16
    frac_bits: int = 8

    def __post_init__(self) -> None:
        require(
            4 <= self.bits <= 30,
            f"a fixed-point format has 4 to 30 bits, not {self.bits}; "
            "16 (compact16) and 24 (loihi24) are the presets",
        )
        require(
            0 <= self.frac_bits < self.bits,
            f"frac_bits must be between 0 and bits - 1 = {self.bits - 1}, not {self.frac_bits}",
        )

    @property
    def low(self) -> int:
        """The most negative raw value."""
        return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """The largest raw value."""
        return (1 << (self.bits - 1)) - 1

    @property
    def one(self) -> int:
        """The raw value of 1.0."""
        return 1 << self.frac_bits

    def quantize(self, value: ArrayLike) -> NDArray[np.int32]:
        """Nearest raw value, ties to even, saturated. Raises ArlifError on NaN or infinity."""
        return nearest_integer(np.asarray(value, np.float64) * self.one, self.low, self.high)

    def to_real(self, raw: ArrayLike) -> NDArray[np.float64]:
        """The real value of raw integers, exact in float64."""
        return np.asarray(raw, np.float64) / self.one


def real_array(values: Any) -> NDArray[np.float64]:
    """Real values as float64 in numpy: an array, or a tensor of any precision, device and graph."""
    if hasattr(values, "detach"):
        values = values.detach().double().cpu()
    return np.asarray(values, np.float64)


def nearest_integer(value: Any, low: int, high: int) -> NDArray[np.int32]:
    """Round to nearest, ties to even, and clip to [low, high]; used once, when quantizing."""
    value = np.asarray(value, np.float64)
    require_finite(value)
    return np.clip(np.rint(value), low, high).astype(np.int32)


def require_finite(value: NDArray[np.float64]) -> None:
    """Raise ArlifError where a number that is to be quantized is NaN or infinite."""
    require(
        bool(np.isfinite(value).all()),
        "only finite numbers can be quantized; found NaN or infinity: check the training run",
    )
