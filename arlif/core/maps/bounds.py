"""Shapes, intervals of integers, and the floats that hold their sums exactly."""

import numpy as np

from arlif.base.errors import NetworkError, require

Shape = tuple[int, ...]
Interval = tuple[int, int]
"""Lowest and highest value, both inclusive; always contains 0."""


def exact_float(bound: int) -> type[np.floating]:
    """The narrowest float type in which integer sums up to `bound` are exact."""
    require(bound < 2**53, f"a sum may reach {bound}, past 2**53; use fewer inputs", NetworkError)
    return np.float32 if bound < 2**24 else np.float64
