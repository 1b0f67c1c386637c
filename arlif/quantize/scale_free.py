"""Neurons that are the same in every unit of the membrane potential get the unit that fits best.

LIF with a constant threshold fires the same spikes where threshold, reset, leak and current are
multiplied by one number. Then that number is free, and so large that the state format is used.
AR-LIF is not free: tanh and sigma fix its unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor, log2

import numpy as np

from arlif.core.formats import FixedPointFormat, real_array
from arlif.core.integer_form import Rounding, integer_form
from arlif.core.integer_neurons import Numbers
from arlif.core.maps import SumPool2d
from arlif.core.network import INPUT, Input
from arlif.core.neuron import Neuron, traced
from arlif.core.ranges import INT32
from arlif.core.real_neurons import NumpyRealOps
from arlif.core.units import Unit
from arlif.quantize.linearized import LinearizedNetwork, LinearizedPopulation, RealReading
from arlif.quantize.neuron_constants import real_constants
from arlif.quantize.reach import Reach
from arlif.quantize.rounding import GAIN_MAX, Precision, source_unit

MARGIN = 1.5
"""How many times what calibration saw the state format holds."""

LEAK_ERROR = 1e-3
"""By which share of itself a leak, 1 - decay, may be said wrong."""

FINE_ERROR = 1e-4
"""The same where numbers may be wide; also how far rounding may move a threshold, as its share."""

MOST_FACTOR_BITS = 16
MOST_STATE_BITS = 28
MOST_EXTRA_BITS = 7
LONGEST = 1000.0
"""Time steps over which rounding errors are taken to add up, at most."""


def free_constants(neuron: Neuron) -> tuple[str, ...] | None:
    """The constants that one number may multiply, and the current with them, without a change.

    Of an integrator, its potential is multiplied too. None where the neuron is bound to its unit,
    which it is where it reads a function, or where a sum of constants holds a number of its own.
    """
    form = integer_form(traced(neuron))
    real = real_constants(neuron)
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
    return None if bound else tuple(sorted(free))


def fitted(
    network: LinearizedNetwork,
    source: Input,
    precision: Precision,
    reaches: Mapping[str, Reach],
    fine: bool = False,
) -> LinearizedNetwork:
    """The same network with the units and widths that its scale-free populations want.

    reaches: what arlif.quantize.reach.reach found on typical inputs. fine: states may be wider than
    `precision` says, up to 28 bits, and weights finer, up to 15 bits in two parts.
    """
    return _rescaled(
        network,
        [
            _fitted(population, source, precision, reaches[population.name].largest, fine)
            for population in network.populations
        ],
    )


def natural(network: LinearizedNetwork) -> LinearizedNetwork:
    """The network in units that training is made for: thresholds of 1 to 2, weights of that size.

    Step sizes and the surrogate's width are meant for such numbers. No unit becomes finer.
    """
    return _rescaled(network, [*map(_natural, network.populations)])


def _rescaled(
    network: LinearizedNetwork, populations: Sequence[tuple[LinearizedPopulation, float]]
) -> LinearizedNetwork:
    """The network with these populations, each in a unit that is so many times as fine."""
    readout, scales = network.readout, {p.name: scale for p, scale in populations}
    if isinstance(readout, RealReading):
        readout = replace(readout, unit=readout.unit / scales[readout.reading.population])
    return replace(network, populations=tuple(p for p, _ in populations), readout=readout)


def _natural(population: LinearizedPopulation) -> tuple[LinearizedPopulation, float]:
    neuron = population.neuron
    free = {name: real_array(getattr(neuron, name)) for name in free_constants(neuron) or ()}
    largest = max((float(np.abs(value).max()) for value in free.values()), default=0.0)
    if largest == 0:
        return population, 1.0
    scale = min(1.0, 2.0 ** -floor(log2(largest)))
    scaled: Neuron = neuron.with_constants({n: getattr(neuron, n) * scale for n in free})
    current = population.current.scaled(scale)
    terms = tuple(term.weighted(term.synapses) for term in current.terms)
    return replace(population, neuron=scaled, current=replace(current, terms=terms)), scale


def _fitted(
    population: LinearizedPopulation,
    source: Input,
    precision: Precision,
    largest: float,
    fine: bool,
) -> tuple[LinearizedPopulation, float]:
    neuron = population.neuron
    free = free_constants(neuron)
    if free is None:
        return population, 1.0
    constants = _Constants(neuron)
    needed = max(MARGIN * largest, np.abs(population.current.bias).max(), constants.largest())
    extra = _extra_bits(population, source, precision) if fine else 0
    limit = precision.weight_max << extra
    raw_step = max(map(abs, _weights(population, source))) / limit
    numbers = constants.numbers(precision.numbers, FINE_ERROR if fine else LEAK_ERROR)
    most = max(MOST_STATE_BITS if fine else 0, numbers.state_format.bits)
    for bits in range(numbers.state_format.bits, most + 1):
        state = replace(numbers.state_format, bits=bits)
        numbers = replace(numbers, state_format=state)
        threshold = constants.threshold() * _scale(needed, raw_step, state) * state.one
        if threshold * FINE_ERROR >= constants.rounding():
            break
    scale = _scale(needed, raw_step, numbers.state_format)
    scaled: Neuron = neuron.with_constants({name: getattr(neuron, name) * scale for name in free})
    current = population.current.scaled(scale)
    fit = replace(population, neuron=scaled, current=current, numbers=numbers, extra_bits=extra)
    return fit, scale


def _scale(needed: float, raw_step: float, state: FixedPointFormat) -> float:
    """The largest power of two that fits the state format and the gain of a raw weight."""
    wanted = [float(state.to_real(state.high)) / needed] if needed > 0 else []
    wanted += [GAIN_MAX / (raw_step * state.one)] if raw_step > 0 else []
    return float(2.0 ** floor(log2(min(wanted)))) if wanted else 1.0


def _weights(population: LinearizedPopulation, source: Input) -> list[float]:
    """The largest weight of every term, in units of what its source sends."""
    return [
        float(np.abs(term.synapses.weight).max()) * source_unit(term, source)
        for term in population.current.terms
    ]


def _extra_bits(population: LinearizedPopulation, source: Input, precision: Precision) -> int:
    """As many bits more as leave the accumulator in 32 bits, whatever arrives."""
    peak = total = np.zeros(population.current.shape[0])
    for term in population.current.terms:
        weight = np.abs(term.synapses.weight) * source_unit(term, source)
        rows = weight.reshape(len(weight), -1)
        pools = (*term.before, *term.after)
        area = float(np.prod([pool.kernel for pool in pools if isinstance(pool, SumPool2d)]))
        high = max(-source.low, source.high) if term.source == INPUT else 1
        peak, total = np.maximum(peak, rows.max(1)), total + rows.sum(1) * area * high
    most = float((total[peak > 0] / peak[peak > 0]).max(initial=0.0))
    bits = MOST_EXTRA_BITS
    while bits and most * (precision.weight_max << bits) > INT32[1] // 2:
        bits -= 1
    return bits


class _Constants:
    """The constants of a step in integers, as real numbers."""

    def __init__(self, neuron: Neuron) -> None:
        form = integer_form(traced(neuron))
        real = real_constants(neuron)
        found = [(c, np.abs(c.value(NumpyRealOps(), real))) for c in form.constants.values()]
        self.states = [v for c, v in found if c.unit is Unit.STATE]
        self.compared = [
            v for c, v in found if c.unit is Unit.STATE and c.rounding is Rounding.UP and v.any()
        ]
        self.factors = [v for c, v in found if c.unit is Unit.FACTOR]

    def largest(self) -> float:
        """What the state format must hold."""
        return max((float(v.max()) for v in self.states), default=0.0)

    def threshold(self) -> float:
        """The smallest that states are compared with, 0 where all are compared with 0."""
        return min((float(v[v > 0].min()) for v in self.compared), default=0.0)

    def rounding(self) -> float:
        """How many raw steps rounding toward zero may add up to until a neuron fires."""
        steps = 1.0
        for factor in self.factors:
            left = float(np.abs(1 - factor).min())
            steps *= min(1 / left, LONGEST) if left else LONGEST
        return steps

    def numbers(self, numbers: Numbers, error: float) -> Numbers:
        """With the fewest factor bits, but no fewer than these, that say every leak well enough."""
        for bits in range(numbers.factor_bits, MOST_FACTOR_BITS):
            wrong = [np.abs(np.rint(f * 2**bits) / 2**bits - f) for f in self.factors]
            pairs = zip(wrong, self.factors, strict=True)
            if all(bool((w <= error * np.abs(1 - f)).all()) for w, f in pairs):
                return replace(numbers, factor_bits=bits)
        return replace(numbers, factor_bits=MOST_FACTOR_BITS)
