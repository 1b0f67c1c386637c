"""Integers that stock Lava's own LIF can run: hard reset, a fixed gain, one scale per layer.

Lava's LIF fires on > and holds what arlif.core.loihi says. So every population has gain 64 and no
shift, its states count accumulator steps with 6 fractional bits, and one weight scale per layer
carries the real threshold and bias with it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arlif.base.errors import LoweringError, require
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.loihi import BIAS_HIGH, FACTOR_BITS, STATE, STATE_LIMIT, THRESHOLD_LIMIT
from arlif.core.maps import chain_interval
from arlif.core.network import INPUT, READOUT, Input, Population, Projection, QuantizedNetwork
from arlif.core.nodes import Readout
from arlif.core.real_neurons import RealLifHard
from arlif.quantize.linearized import Current, LinearizedNetwork, LinearizedPopulation, Real
from arlif.quantize.neuron_constants import raw_factor
from arlif.quantize.rounding import (
    Precision,
    project,
    readout_bias,
    require_source,
    source_unit,
)

NUMBERS = Numbers(STATE, FACTOR_BITS)


def quantize_for_stock_lava(
    network: LinearizedNetwork, source: Input, time_steps: int
) -> QuantizedNetwork:
    """The integer network of a chain of hard-reset LIF layers, in the numbers of Lava's own LIF.

    export.lava.stock_obstacles has no objection to it that other numbers could cure.
    Raises LoweringError that names every layer that does not fit, and why.
    """
    require_source(network, source)
    violations = [
        f"{layer.name}: {reason}" for layer in network.populations for reason in _obstacles(layer)
    ]
    readout = network.summed
    if readout is None:
        violations.append(f"{READOUT}: {_STATE}")
    elif len(readout.terms) > 1:
        violations.append(f"{READOUT}: {_BRANCHES}")
    elif any(term.pools for term in readout.terms):
        violations.append(f"{READOUT}: {_ORS}")
    require(not violations, "; ".join(violations), LoweringError)
    assert readout is not None, "a readout of potentials is refused"
    layers = [_population(layer, source) for layer in network.populations]
    one = time_steps * NUMBERS.state_format.one
    head = _Layer(READOUT, readout, source)
    scale, projection = head.fitted(head.peak / 127, lambda low, high: one * max(-low, high))
    return QuantizedNetwork(
        source,
        tuple(population for population, _ in layers),
        (*(incoming for _, incoming in layers), projection),
        Readout(readout_bias(readout.bias, scale), scale),
        time_steps,
    )


_BRANCHES = "Lava feeds a layer from the one before; a sum of branches has no place there"
_STATE = (
    "Lava's own neurons send spikes alone, no potential that a readout could read; take the mean"
)
_ORS = "Lava has no OR of spikes (max pooling); use AvgPool2d"


def _obstacles(layer: LinearizedPopulation) -> list[str]:
    found = []
    if isinstance(layer.neuron, RealLifHard):
        found += _decay_obstacles(layer.neuron)
    else:
        found.append("Lava's own neuron is LIF with hard reset; train with neuron lif-hard")
    if len(layer.current.terms) > 1:
        found.append(_BRANCHES)
    if any(term.pools for term in layer.current.terms):
        found.append(_ORS)
    return found


def _decay_obstacles(neuron: RealLifHard) -> list[str]:
    cure = "Lava's own LIF has no more: train another"
    try:
        raw_factor("decay", np.asarray(neuron.decay), NUMBERS.factor_bits, cure)
    except LoweringError as error:
        return [str(error)]
    return []


@dataclass(frozen=True)
class _Layer:
    """One current with a single term."""

    name: str
    current: Current
    source: Input

    @property
    def weight(self) -> Real:
        """Real weights per raw step of the source."""
        term = self.current.terms[0]
        return term.synapses.weight * source_unit(term, self.source)

    @property
    def peak(self) -> float:
        """The largest weight."""
        peak = float(np.abs(self.weight).max())
        require(peak > 0, f"{self.name}: its weights are all zero; train it first", LoweringError)
        return peak

    def fitted(self, scale: float, reach: Callable[[int, int], float]) -> tuple[float, Projection]:
        """The least scale from `scale` on whose sums stay within 24 bits, and its projection.

        reach: the largest state that accumulators in [low, high] may lead to.
        """
        term = self.current.terms[0]
        span = (self.source.low, self.source.high) if term.source == INPUT else (0, 1)
        while True:
            projection = project(term, self.name, self.weight / scale, 0, Precision(NUMBERS))
            largest = reach(*chain_interval(projection.maps, span))
            if largest <= STATE_LIMIT:
                return scale, projection
            require(
                bool(np.isfinite(largest)) and scale < self.peak,
                f"{self.name}: its membrane potential may leave Lava's 24 bits whatever its "
                "weights; use fewer inputs or a decay below 1",
                LoweringError,
            )
            scale *= 1.02 * max(1.0, largest / STATE_LIMIT)


def _population(layer: LinearizedPopulation, source: Input) -> tuple[Population, Projection]:
    assert isinstance(layer.neuron, RealLifHard)
    state, one = NUMBERS.state_format, NUMBERS.state_format.one
    decay = int(raw_factor("decay", np.asarray(layer.neuron.decay), NUMBERS.factor_bits))
    lost = 1 - decay / (1 << NUMBERS.factor_bits)
    threshold, bias = layer.neuron.threshold, layer.current.bias

    def reach(low: int, high: int) -> float:
        """Of h >= lowest current / (1 - k) and h < threshold + highest current."""
        lowest = min(0.0, one * (low + bias.min() / scale - 1))
        highest = one * (high + max(0.0, bias.max()) / scale + threshold / scale + 2)
        return max(-lowest / lost if lost else -np.inf if lowest == 0 else np.inf, highest)

    linear = _Layer(layer.name, layer.current, source)
    scale = max(
        linear.peak / 127, threshold / THRESHOLD_LIMIT, float(np.abs(bias).max()) / BIAS_HIGH
    )
    scale, projection = linear.fitted(scale, reach)
    require(
        threshold > scale / 2,
        f"{layer.name}: its threshold of {threshold:.6g} is less than half a step of its weights, "
        f"{scale:.6g}; use the preset compact16 or loihi24, or train with smaller weights",
        LoweringError,
    )
    shape = layer.current.shape
    return (
        Population(
            layer.name,
            shape,
            IntegerNeuron.of(
                RealLifHard,
                state,
                NUMBERS.factor_bits,
                {"decay": decay, "threshold": one * round(threshold / scale) + 1},
            ),
            np.full(shape[0], one, np.uint8),
            0,
            one * np.rint(bias / scale).astype(np.int32),
        ),
        projection,
    )
