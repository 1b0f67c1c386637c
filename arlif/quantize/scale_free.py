"""Neurons that are the same in every unit of the membrane potential get the unit that fits best.

LIF with a constant threshold fires the same spikes where threshold, reset, leak and current are
multiplied by one number. Then that number is free, and so large that the state format is used. AR-LIF
is not free: tanh and sigma fix its unit.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import floor, log2
from typing import Any

import numpy as np

from arlif.core.formats import real_array
from arlif.core.integer_form import IntegerForm, Unit, integer_form
from arlif.core.integer_neurons import Numbers
from arlif.core.network import Input
from arlif.core.neuron import Neuron, traced
from arlif.core.real_neurons import NumpyRealOps
from arlif.quantize.linearized import LinearizedNetwork, LinearizedPopulation, Real
from arlif.quantize.reach import Reach
from arlif.quantize.rounding import GAIN_MAX, Precision, source_unit

MARGIN = 1.5
"""How many times what calibration saw the state format holds."""

LEAK_ERROR = 1e-3
"""By which share of itself a leak, 1 - decay, may be said wrong."""

MOST_FACTOR_BITS = 16


def free_constants(neuron: Neuron) -> tuple[str, ...]:
    """The constants that one number may multiply, and the current with them, without a change.

    None where the neuron is bound to its unit, which it is where it reads a function, or where a
    sum of constants holds a number of its own.
    """
    form = integer_form(traced(neuron))
    real = {name: real_array(value) for name, value in neuron.constants().items()}
    by_unit: dict[Unit, set[str]] = {unit: set() for unit in Unit}
    for constant in form.constants.values():
        by_unit[constant.unit].update(constant.value.parameters())
    free = by_unit[Unit.STATE] - by_unit[Unit.FACTOR]
    doubled = real | {name: 2 * real[name] for name in free}
    bound = bool(form.tables) or any(
        not np.array_equal(
            constant.value(NumpyRealOps(), doubled),
            np.multiply(constant.value(NumpyRealOps(), real), 1 + (constant.unit is Unit.STATE)),
        )
        for constant in form.constants.values()
    )
    return () if bound else tuple(sorted(free))


def fitted(
    network: LinearizedNetwork, source: Input, precision: Precision, reaches: Mapping[str, Reach]
) -> LinearizedNetwork:
    """The same network with the units and factor widths that its scale-free populations want.

    reaches: what arlif.quantize.reach.reach found on typical inputs.
    """
    populations = tuple(
        _fitted(population, source, precision, reaches[population.name].largest)
        for population in network.populations
    )
    return replace(network, populations=populations)


def _fitted(
    population: LinearizedPopulation, source: Input, precision: Precision, largest: float
) -> LinearizedPopulation:
    neuron = population.neuron
    free = free_constants(neuron)
    if not free:
        return population
    form = integer_form(traced(neuron))
    real = {name: real_array(value) for name, value in neuron.constants().items()}
    numbers = population.numbers or precision.numbers
    state = numbers.state_format
    needed = max(MARGIN * largest, np.abs(population.current.bias).max(), _constants(form, real))
    wanted = [state.to_real(state.high) / needed] if needed > 0 else []
    weight = _largest_weight(population, source)
    if weight > 0:
        wanted.append(GAIN_MAX / (weight / precision.weight_max * state.one))
    scale = 2.0 ** floor(log2(min(wanted))) if wanted else 1.0
    scaled: Neuron = neuron.with_constants({name: getattr(neuron, name) * scale for name in free})
    return replace(
        population,
        neuron=scaled,
        current=population.current.scaled(scale),
        numbers=replace(numbers, factor_bits=_factor_bits(form, real, numbers)),
    )


def _largest_weight(population: LinearizedPopulation, source: Input) -> float:
    return max(
        float(np.abs(term.synapses.weight).max()) * source_unit(term, source)
        for term in population.current.terms
    )


def _constants(form: IntegerForm, real: Mapping[str, Real]) -> float:
    """The largest constant that the state format must hold."""
    return max(
        float(np.abs(constant.value(NumpyRealOps(), real)).max())
        for constant in form.constants.values()
        if constant.unit is Unit.STATE
    )


def _factor_bits(form: IntegerForm, real: Mapping[str, Any], numbers: Numbers) -> int:
    """The fewest bits, at least the preset's, that say every leak well enough."""
    factors = [
        np.asarray(constant.value(NumpyRealOps(), real), np.float64)
        for constant in form.constants.values()
        if constant.unit is Unit.FACTOR
    ]
    for bits in range(numbers.factor_bits, MOST_FACTOR_BITS):
        wrong = [np.abs(np.rint(f * 2**bits) / 2**bits - f) for f in factors]
        pairs = zip(wrong, factors, strict=True)
        if all((w <= LEAK_ERROR * np.abs(1 - np.abs(f))).all() for w, f in pairs):
            return bits
    return MOST_FACTOR_BITS
