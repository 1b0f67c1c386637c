"""Chooses integers for a neuron: what its integer form needs, each number rounded as it is used.

A state h is an integer, so h >= v holds where h >= ceil(v): rounded up, a threshold fires exactly
where the real one does, one just above v too, which is how `>` is written with >=.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, LoweringError, require
from arlif.core.formats import FixedPointFormat, real_array
from arlif.core.integer_form import Constant, Rounding, Table, integer_form
from arlif.core.integer_neurons import IntegerNeuron, Numbers, integer_name
from arlif.core.neuron import Neuron, traced
from arlif.core.real_neurons import NumpyRealOps
from arlif.core.step_gains import require_told_apart
from arlif.core.steps import LEAST
from arlif.core.tables import LookupTable
from arlif.core.units import Unit
from arlif.quantize.linearized import Real


def integer_neuron(name: str, neuron: Neuron, numbers: Numbers) -> IntegerNeuron:
    """The integer form of a population's neuron; raises LoweringError that names both."""
    try:
        return to_integer(neuron, numbers)
    except ArlifError as error:
        raise LoweringError(f"population {name}: {error}") from None


def to_integer(neuron: Neuron, numbers: Numbers) -> IntegerNeuron:
    """The integer form of a neuron with real constants.

    Raises LoweringError where its step has none, or where a constant cannot be said in `numbers`;
    factors that training found are rounded wherever they are, also to 0.
    """
    require_told_apart(neuron, numbers)
    form = integer_form(traced(neuron))
    real, learn = real_constants(neuron), learned_constants(neuron)
    return IntegerNeuron(
        integer_name(neuron),
        form.graph,
        numbers.state_format,
        numbers.factor_bits,
        {name: _raw(name, held, real, numbers, learn) for name, held in form.constants.items()},
        {name: _sampled(name, table, real, numbers) for name, table in form.tables.items()},
    )


def real_constants(neuron: Neuron) -> dict[str, Real]:
    """A neuron's constants as arrays in float64, by name."""
    return {name: real_array(value) for name, value in neuron.constants().items()}


def learned_constants(neuron: Neuron) -> set[str]:
    """The names of a neuron's constants that training changes."""
    return {name for name, known in neuron.parameters().items() if known.learned}


def _raw(
    name: str, constant: Constant, real: Mapping[str, Any], numbers: Numbers, learn: set[str]
) -> Any:
    """A constant as the integer step reads it; `learn`: names of those that training found."""
    value = np.asarray(constant.value(NumpyRealOps(), real), np.float64)
    state = numbers.state_format
    if constant.unit is Unit.FACTOR and learn & {*constant.value.parameters()}:
        return constant.rounding.rounded(value * (1 << numbers.factor_bits))
    if constant.unit is Unit.FACTOR:
        return raw_factor(name, value, numbers.factor_bits)
    if constant.rounding is Rounding.UP:
        return raw_threshold(name, value, state)
    if constant.rounding is Rounding.DOWN:
        value = np.floor(value * state.one) / state.one
    return state_values(name, value, state)


def _sampled(name: str, table: Table, real: Mapping[str, Any], numbers: Numbers) -> LookupTable:
    """A function as a table."""
    many = [n for n in table.function.parameters() if np.size(real[n]) > 1]
    require(
        not many,
        f"{name} reads {' and '.join(many)}, one per channel or neuron, and a table is one for the "
        "layer; make it one per layer, or take it out of the function with ops.multiply",
        LoweringError,
    )
    state = numbers.state_format
    one = state.one if table.unit is Unit.STATE else 1 << numbers.factor_bits
    single = {n: float(value.flat[0]) for n, value in real.items() if value.size == 1}

    def function(x: Real) -> Real:
        values: Real = table.function(NumpyRealOps(), single, x) + np.zeros_like(x)
        largest = np.abs(values).max()
        require(
            not 0 < largest <= 0.5 / one,
            f"a {name} of {largest:.6g} is less than half a step, 1/{one}; use more fractional "
            "bits (loihi24 has 12) or larger weights and thresholds",
            LoweringError,
        )
        return values

    return numbers.tables.sample(function, state, one)


def raw_factor(
    name: str,
    real: Real,
    factor_bits: int,
    cure: str = "use more factor bits (loihi24 has 12, 16 is the most) or another value",
) -> NDArray[np.int32]:
    """The nearest raw factors; raises LoweringError where a leak would vanish, or the potential."""
    one = 1 << factor_bits
    raw = np.rint(real * one)
    size, rounded = np.abs(real), np.abs(raw)
    lost = (size > 0) & (size < 1) & ((rounded == 0) | (rounded >= one))
    kept = _first(raw, lost) / one + 0.0  # no -0
    require(
        not lost.any(),
        f"{name} = {_first(real, lost):.6g} rounds to {kept:.0f} in {factor_bits} bits, which "
        f"keeps {'everything' if kept else 'nothing'}; {cure}",
        LoweringError,
    )
    return raw.astype(np.int64).astype(np.int32)


def raw_threshold(name: str, real: Real, state: FixedPointFormat) -> NDArray[np.int32]:
    """The least raw values at or above thresholds; LoweringError below half a step, or past all.

    LEAST, what any h - theta above 0 reaches, is 1.
    """
    small = (real > LEAST) & (real * state.one <= 0.5)
    require(
        not small.any(),
        f"a {name} of {_first(real, small):.6g} is less than half a step of {state}, "
        f"1/{state.one}; use more fractional bits (loihi24 has 12) or larger weights and "
        "thresholds",
        LoweringError,
    )
    return state_values(name, np.ceil(real * state.one) / state.one, state)


def state_values(what: str, real: Real, state: FixedPointFormat) -> NDArray[np.int32]:
    """Nearest raw numbers in a state format; raises LoweringError where it would clip them."""
    raw = np.rint(real * state.one)
    require(
        bool(((raw >= state.low) & (raw <= state.high)).all()),
        f"{what} of {real.flat[np.abs(real).argmax()]:.6g} does not fit {state}, which holds "
        f"{state.to_real(state.low):g} to {state.to_real(state.high):g}; use more bits or fewer "
        "fractional bits",
        LoweringError,
    )
    return raw.astype(np.int32)


def _first(values: Real, where: NDArray[np.bool_]) -> float:
    """The first of the values where something holds; 0 where it holds nowhere."""
    found = np.asarray(values)[where]
    return float(found[0]) if found.size else 0.0
