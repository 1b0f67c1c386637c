"""Random integer neurons of every class for property tests (hypothesis)."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_form import integer_form
from arlif.core.integer_neurons import PRESETS, IntegerNeuron, Numbers
from arlif.core.maps import Shape
from arlif.core.neuron import Neuron, Parameter, traced
from arlif.core.real_neurons import (
    RealArlif,
    RealClif,
    RealCuba,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)
from arlif.core.tables import LookupTable, TableDomain
from arlif.core.units import Unit
from support.raw_neurons import sampled

NUMBERS = (
    *PRESETS.values(),
    Numbers(FixedPointFormat(8, 4), factor_bits=4),
    Numbers(FixedPointFormat(13, 6), factor_bits=7, tables=TableDomain(128, -4.0, 4.0)),
)
"""The presets, and two formats narrow enough to saturate all the time."""


def rngs() -> st.SearchStrategy[np.random.Generator]:
    """Numpy generators from a drawn seed."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    """NUMBERS, or any state format of 6 to 30 bits with room for thresholds up to 4."""
    if draw(st.booleans()):
        return draw(st.sampled_from(NUMBERS))
    bits = draw(st.integers(6, 30))
    frac_bits = draw(st.integers(3, bits - 3))
    reach = draw(st.integers(0, 2))
    entries = draw(st.integers(max(4, frac_bits + reach - 23), min(10, frac_bits + reach + 1)))
    tables = TableDomain(1 << entries, -float(1 << reach), float(1 << reach))
    return Numbers(FixedPointFormat(bits, frac_bits), draw(st.integers(1, 16)), tables)


KINDS: tuple[Neuron, ...] = (
    RealArlif(),
    RealArlif(memory=False),
    RealLifSoft(),
    RealLifHard(),
    RealLifSubtract(),
    RealLifWeighted(),
    RealClif(),
    RealCuba(),
)
"""Every neuron that comes with arlif, whatever its constants are."""


@st.composite
def neurons(
    draw: st.DrawFn,
    shape: Shape | None = None,
    kinds: tuple[Neuron, ...] = KINDS,
    formats: st.SearchStrategy[Numbers] | None = None,
) -> IntegerNeuron:
    """An integer neuron of any class; with a shape, some constants are per channel or neuron."""
    kind, held = draw(st.sampled_from(kinds)), draw(numbers() if formats is None else formats)
    form, state, factor_bits = integer_form(traced(kind)), held.state_format, held.factor_bits
    units = {
        name: constant.unit
        for written, constant in sorted(form.constants.items(), key=lambda item: -len(item[0]))
        for name in constant.value.parameters()
    }
    raw = {name: draw(_spread(_raw(kind, name, unit, held), shape)) for name, unit in units.items()}
    if isinstance(kind, RealCuba):
        limit = draw(st.just((1 << (state.bits - 2)) - 1) | st.integers(1, state.one))
        raw |= {"limit": limit, "edge": min(limit + 1, 1 << (state.bits - 2))}
    tables = draw(_tables(kind, held))
    return IntegerNeuron.of(kind, state, factor_bits, raw, tables)


def _raw(kind: Neuron, name: str, unit: Unit, numbers: Numbers) -> st.SearchStrategy[int]:
    """Raw numbers of a constant: a factor up to 1, a state near what thresholds are, or any."""
    one = 1 << numbers.factor_bits
    negative = kind.parameters()[name].low < 0
    if unit is Unit.FACTOR:
        return st.integers(-one if negative else 0, one)
    state = numbers.state_format
    near = st.integers(-state.one // 4 if negative else 0, min(2 * state.one, state.high))
    return near | near | st.integers(state.low // 2 if negative else 0, state.high // 2)


@st.composite
def _spread(draw: st.DrawFn, values: st.SearchStrategy[int], shape: Shape | None) -> Any:
    """One value, or an array of values between two, per channel or per neuron of a shape."""
    first = draw(values)
    if shape is None or draw(st.booleans()):
        return first
    low, high = sorted((first, draw(values)))
    held = draw(st.sampled_from(((shape[0], *(1 for _ in shape[1:])), shape)))
    return draw(rngs()).integers(low, high + 1, held).astype(np.int32)


@st.composite
def _tables(draw: st.DrawFn, kind: Neuron, numbers: Numbers) -> dict[str, LookupTable]:
    """A neuron's tables, sampled, or half of the time noise over the whole range of each."""
    form, state = integer_form(traced(kind)), numbers.state_format
    if not form.tables:  # and formats too narrow for constants that are drawn as reals will do
        return {}
    bounded = {name: _bounded(known) for name, known in kind.parameters().items()}
    real = kind.with_constants({name: draw(values) for name, values in bounded.items()})
    try:
        tables = dict(sampled(real, numbers).tables)
    except NetworkError:  # a user's function may leave a narrow format
        reject()
    if draw(st.booleans()):
        return tables
    rng = draw(rngs())
    one = 1 << numbers.factor_bits
    for name, table in form.tables.items():
        low, high = (state.low, state.high)
        if table.unit is Unit.FACTOR:
            low, high = draw(st.sampled_from(((0, one), (-one, one))))
        noise = rng.integers(low, high + 1, tables[name].values.size)
        tables[name] = replace(tables[name], values=noise)
    return tables


def _bounded(known: Parameter) -> st.SearchStrategy[float]:
    return st.floats(max(known.low, 0.25 if known.low < -1 else -1), min(known.high, 2))
