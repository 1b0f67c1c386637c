"""Calls of compiled functions on arrays: made once, run any number of times."""

import ctypes
from collections.abc import Callable
from ctypes import Structure, c_int64, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bound = tuple[Callable[[], None], NDArray[Any]]
"""What computes, any number of times, and the array that it writes."""


class Call:
    """A function of C and its arguments, which it holds: integers, structures, arrays of numpy.

    held: what structures point into.
    """

    def __init__(self, function: Any, *arguments: Any, held: tuple[Any, ...] = ()) -> None:
        self.function, self.held = function, (arguments, held)
        self.arguments = tuple(map(_passed, arguments))

    def __call__(self) -> None:
        """Run it on what the arrays hold now."""
        self.function(*self.arguments)


def _passed(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        return c_void_p(argument.ctypes.data)
    if isinstance(argument, Structure | ctypes.Array):
        return ctypes.byref(argument)
    return c_int64(argument)
