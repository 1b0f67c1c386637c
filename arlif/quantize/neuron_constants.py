"""Chooses integers for neurons: decays and amounts are rounded, thresholds are rounded up.

A state h is an integer, so h >= v holds where h >= ceil(v): rounded up, a threshold fires exactly
where the real one does, one just above v too, which is how `>` is written with >=.
"""

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, LoweringError, require
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import (
    IntegerArlif,
    IntegerLifHard,
    IntegerLifSoft,
    IntegerLifSubtract,
    IntegerNeuron,
    Numbers,
)
from arlif.core.real_neurons import (
    RealArlif,
    RealLif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealNeuron,
)
from arlif.quantize.linearized import Real


def integer_neuron(name: str, neuron: RealNeuron, numbers: Numbers) -> IntegerNeuron:
    """The integer form of a population's neuron; raises LoweringError that names both."""
    try:
        return to_integer(neuron, numbers)
    except ArlifError as error:
        raise LoweringError(f"population {name}: {error}") from None


@singledispatch
def to_integer(neuron: RealNeuron, numbers: Numbers) -> IntegerNeuron:
    """The integer form of a real-valued neuron; raises LoweringError where there is none."""
    raise LoweringError("its neuron has no integer step; use arlif.ARLIF or arlif.LIF")


@to_integer.register
def _(neuron: RealArlif, numbers: Numbers) -> IntegerNeuron:
    raw_decay(neuron.decay, numbers.factor_bits)
    raw_threshold(neuron.v_threshold, numbers.state_format)
    return IntegerArlif.sample(neuron, numbers)


@to_integer.register
def _(neuron: RealLifSubtract, numbers: Numbers) -> IntegerNeuron:
    state = numbers.state_format
    decay = raw_decay(neuron.decay, numbers.factor_bits)
    threshold = raw_threshold(neuron.threshold, state)
    amount = int(state_values("the reset", np.array(neuron.amount), state))
    raised = raw_threshold(neuron.threshold + neuron.hold, state)
    return IntegerLifSubtract(
        state, numbers.factor_bits, decay, threshold, amount, raised - threshold
    )


@to_integer.register(RealLifHard)
@to_integer.register(RealLifSoft)
def _(neuron: RealLif, numbers: Numbers) -> IntegerNeuron:
    kind = IntegerLifHard if isinstance(neuron, RealLifHard) else IntegerLifSoft
    decay = raw_decay(neuron.decay, numbers.factor_bits)
    threshold = raw_threshold(neuron.threshold, numbers.state_format)
    return kind(numbers.state_format, numbers.factor_bits, decay, threshold)


def raw_decay(
    decay: float,
    factor_bits: int,
    cure: str = "use more factor bits (loihi24 has 12, 16 is the most) or another decay",
) -> int:
    """The nearest raw decay; raises LoweringError where a leak would vanish, or the potential."""
    one = 1 << factor_bits
    raw = round(decay * one)
    require(
        not 0 < decay < 1 or 0 < raw < one,
        f"a decay of {decay:.6g} rounds to {raw >> factor_bits} in {factor_bits} bits, which keeps "
        f"{'everything' if raw else 'nothing'}; {cure}",
        LoweringError,
    )
    return raw


def raw_threshold(threshold: float, state: FixedPointFormat) -> int:
    """The least raw value at or above a threshold; LoweringError below half a step, or past all."""
    require(
        threshold <= 0 or threshold * state.one > 0.5,
        f"a threshold of {threshold:.6g} is less than half a step of {state}, 1/{state.one}; use "
        "more fractional bits (loihi24 has 12) or larger weights and thresholds",
        LoweringError,
    )
    above = np.ceil(np.array(threshold * state.one)) / state.one
    return int(state_values("a threshold", above, state))


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
