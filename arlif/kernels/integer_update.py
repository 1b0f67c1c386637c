"""The integer update of a population, fused over time; equal to the reference in every bit."""

import ctypes
from ctypes import POINTER, Structure, c_int32, c_int64, c_void_p
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.tables import LookupTable
from arlif.kernels.build import loaded

INT32 = np.iinfo(np.int32)


class Update(NamedTuple):
    """spikes: uint8 [T, N, *shape]; state: after the last step, int32 [N, *shape] each;

    history: every state by name over time, int32 [T, N, *shape], where it was asked for.
    """

    spikes: NDArray[np.uint8]
    state: Any
    history: dict[str, NDArray[np.int32]]


def applies(neuron: IntegerNeuron) -> bool:
    """Whether IntegerUpdate knows this neuron and could be compiled here."""
    return False


class IntegerUpdate:
    """The update of a population over time steps, where `applies(population.neuron)`."""

    def __init__(self, population: Population) -> None:
        self.population, neuron = population, population.neuron
        self.gain, self.bias = population.gain.astype(np.int32), population.bias
        self.kind = KINDS[type(neuron)](neuron)
        self.wide = neuron.state_format.bits - 1 + neuron.factor_bits > 31
        self.constants = _constants(neuron)

    def __call__(
        self,
        accumulators: Any,
        steps: int,
        threads: int,
        state: Any = None,
        history: bool = False,
    ) -> Update:
        """Run `steps` time steps on that many threads.

        accumulators: numpy array or CPU tensor, [T, N, *shape], or [1, N, *shape] where every step
        has the same; int32, or integers in float32, or what converts to int32. state: where to
        start, None for 0. Raises ArlifError where shapes do not fit.
        """
        population = self.population
        acc = np.asarray(accumulators)
        kept = acc.dtype if acc.dtype in (np.float32, np.int32) else np.int32
        acc = np.ascontiguousarray(acc, kept)
        shape = acc.shape[1:]
        require(
            shape[1:] == population.shape and acc.shape[0] in (1, steps) and steps >= 1,
            f"{population.name} takes accumulators [{steps} or 1, N, "
            f"{', '.join(map(str, population.shape))}], not {acc.shape}",
        )
        kind, names = population.neuron.state_type, population.neuron.variables
        states = np.empty((len(names), *shape), np.int32)
        if state is not None:
            states[:] = [np.asarray(part) for part in state]
        spikes = np.empty((steps, *shape), np.uint8)
        past = np.empty((len(names), steps, *shape) if history else 0, np.int32)
        arrays = _Arrays(
            steps,
            states[0].size,
            threads,
            len(self.gain),
            prod(population.shape[1:]),
            0 if acc.shape[0] < steps else states[0].size,
            state is None,
            self.gain.ctypes.data,
            self.bias.ctypes.data,
            population.gain_shift,
            states.ctypes.data,
            spikes.ctypes.data,
            past.ctypes.data if history else None,
        )
        sizes = map(ctypes.sizeof, (_Table, _Constants, _Arrays))
        loaded("arlif_integer_layout", *sizes).arlif_integer(
            self.kind,
            self.wide,
            acc.dtype == np.float32,
            ctypes.byref(self.constants),
            ctypes.byref(arrays),
            c_void_p(acc.ctypes.data),
        )
        return Update(spikes, kind(*states), dict(zip(names, past, strict=True)) if history else {})


class _Table(Structure):
    """Table of integer_steps.h."""

    _fields_ = (
        ("values", POINTER(c_int32)),
        ("low", c_int32),
        ("high", c_int32),
        ("shift", c_int32),
    )

    @classmethod
    def of(cls, table: LookupTable) -> "_Table":
        values = table.values.ctypes.data_as(POINTER(c_int32))
        return cls(values, table.low, min(table.high, INT32.max), table.shift)


class _Constants(Structure):
    """Constants of integer_steps.h."""

    _fields_ = (
        *((name, c_int32) for name in ("low", "high", "factor_bits", "decay")),
        *((name, c_int32) for name in ("threshold", "raised", "amount")),
        *((name, _Table) for name in ("thresholds", "gates", "drives", "resets")),
    )


class _Arrays(Structure):
    """Arrays of integer_update.cpp."""

    _fields_ = (
        *((name, c_int64) for name in ("steps", "size", "threads", "channels", "inner")),
        *((name, c_int64) for name in ("accumulator_stride", "fresh")),
        ("gain", c_void_p),
        ("bias", c_void_p),
        ("gain_shift", c_int32),
        ("state", c_void_p),
        ("spikes", c_void_p),
        ("history", c_void_p),
    )
