"""Field-wise equality and fingerprints for frozen dataclasses that hold arrays."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
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
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)
    return bool(a == b)


def fingerprint(value: Any) -> str:
    """A SHA-256 that two values share exactly when they are equal, field by field."""
    digest = sha256()
    _feed(digest.update, value)
    return digest.hexdigest()


def _feed(update: Callable[[bytes], None], value: Any) -> None:
    if isinstance(value, np.ndarray):
        update(f"{value.dtype.str}{value.shape}".encode() + value.tobytes())
    elif is_dataclass(value):
        update(type(value).__name__.encode())
        for field in fields(value):
            _feed(update, getattr(value, field.name))
    elif isinstance(value, Mapping):
        _feed(update, tuple(sorted(value)))
        _feed(update, tuple(value[name] for name in sorted(value)))
    elif isinstance(value, tuple):
        update(f"({len(value)}".encode())
        for item in value:
            _feed(update, item)
    else:
        update(f"{value!r};".encode())
