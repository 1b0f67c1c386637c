"""Integer kernels printed from the trace beside those that were written by hand.

Part of kernels.py.
"""

import ctypes
from collections.abc import Callable, Iterator
from ctypes import POINTER, Structure, c_int32, c_int64, c_void_p
from typing import Any

import numpy as np
from old_kernels import Row, in_turns, old_library

from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from arlif.core.network import Population
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif, RealLifHard, RealLifSoft, RealLifSubtract
from arlif.kernels.integer_update import IntegerUpdate
from arlif.quantize.neuron_constants import to_integer

FILES = ("integer_update.cpp", "integer_steps.h", "narrow_neurons.h", "kinds.h", "tiles.h")
STEPS, SHAPE, GAIN_SHIFT = 4, (32, 32, 32, 32), 14
NEURONS: dict[str, tuple[int, Neuron]] = {
    "AR-LIF": (0, RealArlif(0.5, 1.0, 0.9, 0.5)),
    "AR-LIF without memory": (1, RealArlif(0.5, 1.0, 0.9, 0.5, memory=False)),
    "LIF soft": (2, RealLifSoft()),
    "LIF hard": (3, RealLifHard()),
    "LIF subtract": (4, RealLifSubtract(0.5, 1.0, 1.0, 0.5)),
}
"""What the old kernels call a neuron, and the neuron."""


class _Table(Structure):
    _fields_ = (
        ("values", c_void_p),
        *((name, c_int32) for name in ("low", "high", "shift")),
    )


class _Constants(Structure):
    _fields_ = (
        *((name, c_int32) for name in ("low", "high", "factor_bits", "decay")),
        *((name, c_int32) for name in ("threshold", "raised", "amount")),
        *((name, _Table) for name in ("thresholds", "gates", "drives", "resets")),
    )


class _Arrays(Structure):
    _fields_ = (
        *((name, c_int64) for name in ("steps", "size", "threads", "channels", "inner")),
        *((name, c_int64) for name in ("accumulator_stride", "fresh")),
        ("gain", POINTER(c_int32)),
        ("bias", POINTER(c_int32)),
        ("gain_shift", c_int32),
        *((name, c_void_p) for name in ("state", "spikes", "history")),
    )


def rows(repeats: int) -> Iterator[Row]:
    """One row of each neuron and preset."""
    old = old_library(*FILES)
    for preset, numbers in PRESETS.items():
        for name, (kind, neuron) in NEURONS.items():
            yield _row(preset, name, old, kind, to_integer(neuron, numbers), repeats)


def _row(
    preset: str, name: str, old: ctypes.CDLL, kind: int, neuron: IntegerNeuron, repeats: int
) -> Row:
    rng = np.random.default_rng(0)
    channels, one = SHAPE[-1], neuron.state_format.one
    population = Population(
        name,
        (channels, *SHAPE[1:-1]),
        neuron,
        rng.integers(1, 256, channels).astype(np.uint8),
        GAIN_SHIFT,
        rng.integers(-one // 2, one, channels).astype(np.int32),
    )
    sums = rng.integers(-256 * one, 256 * one, (STEPS, *SHAPE)).astype(np.int32)
    before, after = _old_update(old, kind, population, sums), _new_update(population, sums)
    different = sum(int((a != b).sum()) for a, b in zip(before(), after(), strict=True))
    moved = 4 + 1 + 4 * len(neuron.variables) / STEPS
    each = 1e9 / sums.size
    times = in_turns(before, after, repeats)
    return Row(preset, name, times[0] * each, times[1] * each, times[2], moved, different)


def _new_update(population: Population, sums: Any) -> Callable[[], list[Any]]:
    update = IntegerUpdate(population)

    def run() -> list[Any]:
        done = update(sums, STEPS, 1)
        return [done.spikes, *done.state]

    return run


def _old_update(
    library: ctypes.CDLL, kind: int, population: Population, sums: Any
) -> Callable[[], list[Any]]:
    neuron, form = population.neuron, population.neuron.state_format
    numbers, tables = neuron.constants, neuron.tables
    threshold = numbers.get("threshold", 0)
    tables = {"gate": tables["drive"], **tables} if tables else {}
    held = [tables.get(name) for name in ("threshold", "gate", "drive", "reset")]
    constants = _Constants(
        form.low,
        form.high,
        neuron.factor_bits,
        numbers["decay"],
        threshold,
        numbers.get("threshold + hold", threshold),
        numbers.get("amount", threshold),
        *(_Table(t.values.ctypes.data, t.low, t.high, t.shift) if t else _Table() for t in held),
    )
    wide = form.bits - 1 + neuron.factor_bits > 31
    gain = population.gain.astype(np.int32)

    def run() -> list[Any]:
        states = np.empty((len(neuron.variables), *SHAPE), np.int32)
        spikes = np.empty(sums.shape, np.uint8)
        arrays = _Arrays(
            *(STEPS, sums[0].size, 1, SHAPE[-1], 1, sums[0].size, 1),
            gain.ctypes.data_as(POINTER(c_int32)),
            population.bias.ctypes.data_as(POINTER(c_int32)),
            population.gain_shift,
            states.ctypes.data,
            spikes.ctypes.data,
            None,
        )
        library.arlif_integer(
            kind, wide, 0, ctypes.byref(constants), ctypes.byref(arrays), c_void_p(sums.ctypes.data)
        )
        return [spikes, *states]

    return run
