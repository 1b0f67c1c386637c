"""The neurons of arlif with raw constants, as tests write them down."""

from dataclasses import replace
from typing import Any

import numpy as np

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_form import integer_form
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.neuron import Neuron, traced
from arlif.core.real_neurons import (
    NumpyRealOps,
    RealArlif,
    RealCuba,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
)
from arlif.core.tables import LookupTable
from arlif.core.units import Unit


def arlif(
    state: FixedPointFormat,
    factor_bits: int,
    decay: int,
    threshold: LookupTable,
    gate: LookupTable,
    drive: LookupTable,
    reset: LookupTable,
    memory: bool = True,
) -> IntegerNeuron:
    """Adaptive-reset LIF; without memory it has no gate."""
    tables = {"threshold": threshold, "drive": drive, "reset": reset}
    tables |= {"gate": gate} if memory else {}
    kind = RealArlif(memory=memory)
    return IntegerNeuron.of(kind, state, factor_bits, {"decay": decay}, tables)


def lif_soft(
    state: FixedPointFormat, factor_bits: int, decay: int, threshold: int
) -> IntegerNeuron:
    """LIF whose spike subtracts the threshold."""
    raw = {"decay": decay, "threshold": threshold}
    return IntegerNeuron.of(RealLifSoft, state, factor_bits, raw)


def lif_hard(
    state: FixedPointFormat, factor_bits: int, decay: int, threshold: int
) -> IntegerNeuron:
    """LIF whose spike sets the membrane potential to zero."""
    raw = {"decay": decay, "threshold": threshold}
    return IntegerNeuron.of(RealLifHard, state, factor_bits, raw)


def lif_subtract(
    state: FixedPointFormat, factor_bits: int, decay: int, threshold: int, amount: int, hold: int
) -> IntegerNeuron:
    """LIF whose spike subtracts `amount`; `hold` raises the threshold while u is above it."""
    raw = {"decay": decay, "threshold": threshold, "amount": amount, "hold": hold}
    return IntegerNeuron.of(RealLifSubtract, state, factor_bits, raw)


def cuba(
    state: FixedPointFormat,
    factor_bits: int,
    decay: int,
    current_decay: int,
    threshold: int,
    bias: Any,
) -> IntegerNeuron:
    """Current-based LIF of Loihi in a format one bit wider than its registers."""
    limit = (1 << (state.bits - 2)) - 1
    raw = {
        "decay": decay,
        "current_decay": current_decay,
        "threshold": threshold,
        "bias": np.asarray(bias, np.int32),
        "limit": limit,
        "edge": limit + 1,
    }
    return IntegerNeuron.of(RealCuba, state, factor_bits, raw)


def with_constants(neuron: IntegerNeuron, **raw: Any) -> IntegerNeuron:
    """The same neuron with other raw constants, by name."""
    return replace(neuron, constants={**neuron.constants, **raw})


def sampled(neuron: Neuron, numbers: Numbers) -> IntegerNeuron:
    """A real neuron whose constants are rounded whatever they become; nothing is refused."""
    form, ops, real = integer_form(traced(neuron)), NumpyRealOps(), neuron.constants()
    state = numbers.state_format
    ones = {Unit.STATE: state.one, Unit.FACTOR: 1 << numbers.factor_bits}
    raw = {
        name: round(constant.value(ops, real) * ones[constant.unit])
        for name, constant in form.constants.items()
    }
    tables = {
        name: numbers.tables.sample(
            lambda x, function=table.function: function(ops, real, x) + 0 * x,
            state,
            ones[table.unit],
        )
        for name, table in form.tables.items()
    }
    return IntegerNeuron(
        type(neuron).__name__.removeprefix("Real"),
        form.graph,
        state,
        numbers.factor_bits,
        raw,
        tables,
    )
