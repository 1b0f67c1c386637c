"""Field-wise equality for frozen dataclasses that hold arrays."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def frozen_array(values: Any, dtype: DTypeLike) -> NDArray[Any]:
    """A read-only, C-contiguous copy of `values`."""
    array = np.array(values, dtype=dtype, order="C")
    array.setflags(write=False)
    return array


class ArrayEquality:
    """Mixin: two instances are equal when every field is, arrays by dtype, shape and content."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(
            _same(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)  # type: ignore[arg-type]
        )

    __hash__ = None  # type: ignore[assignment]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b)
