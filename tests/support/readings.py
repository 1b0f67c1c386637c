"""Networks whose readout reads potentials, and what it must be, in plain Python."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import (
    READOUT,
    OverTime,
    Population,
    QuantizedNetwork,
    Reading,
    Readout,
)
from arlif.core.real_neurons import RealIntegrator, RealSynapticIntegrator
from hw_sim.engines.integer.step_by_step import Stream
from support.strategies import Case, cases
from support.strategies_neurons import rngs

NAME = "potentials"


@st.composite
def integrators(draw: st.DrawFn, classes: int) -> IntegerNeuron:
    """Any integrator, its decays one number or one for each class."""
    bits, factor_bits = draw(st.integers(4, 28)), draw(st.integers(1, 16))
    state, rng = FixedPointFormat(bits, draw(st.integers(0, bits - 2))), draw(rngs())
    many = draw(st.booleans())

    def factor() -> Any:
        values = rng.integers(0, (1 << factor_bits) + 1, classes)
        return values if many else int(values[0])

    kind = draw(st.sampled_from((RealIntegrator, RealSynapticIntegrator)))
    leak = rng.integers(state.low, state.high + 1, classes) // 4
    constants = {"decay": factor(), "leak": draw(st.sampled_from((0, leak)))}
    if kind is RealSynapticIntegrator:
        constants["current_decay"] = factor()
    if isinstance(constants["leak"], int):
        del constants["leak"]
        return IntegerNeuron.of(kind, state, factor_bits, constants)
    return IntegerNeuron.of(kind(leak=0.5), state, factor_bits, constants)


@st.composite
def reading_cases(draw: st.DrawFn, max_populations: int = 3, max_steps: int = 300) -> Case:
    """Any feed-forward network whose readout's sums drive integrators, which are read instead."""
    case = draw(cases(max_populations, max_steps=max_steps))
    return replace(case, network=draw(_read(case.network)))


@st.composite
def _read(draw: st.DrawFn, network: QuantizedNetwork) -> QuantizedNetwork:
    classes, rng = network.readout.shape[0], draw(rngs())
    neuron = draw(integrators(classes))
    low, high = network.accumulator_interval(READOUT)
    reach = max(-low, high, 1) * 255
    shift = int(np.clip(np.log2(reach / neuron.state_format.high), 0, 31))
    state = neuron.state_format
    read = Population(
        NAME,
        (classes,),
        neuron,
        rng.integers(0, 256, classes).astype(np.uint8),
        shift,
        rng.integers(state.low // 8, state.high // 8 + 1, classes).astype(np.int32),
    )
    projections = tuple(
        replace(p, target=NAME) if p.target == READOUT else p for p in network.projections
    )
    reading = Reading(NAME, "v", draw(st.sampled_from(OverTime)))
    bias = rng.integers(-100, 101, classes).astype(np.int32)
    return QuantizedNetwork(
        network.input,
        (*network.populations, read),
        projections,
        Readout(bias, network.readout.scale, reading),
        network.time_steps,
    )


def expected(case: Case) -> NDArray[np.int64]:
    """The readout, from what arrives at the integrators, in Python's whole numbers."""
    network, samples = case.network, case.inputs.shape[case.network.input.sample_axis]
    arriving = _arriving(case)
    read, over = network.populations[-1], network.readout.reading
    assert read.name == NAME
    assert over is not None
    answer = np.empty((samples, *read.shape), np.int64)
    for sample in range(samples):
        for place in range(read.shape[0]):
            values = _potentials(read, place, [int(a[sample, place]) for a in arriving])
            best = values[-1] if over.over is OverTime.LAST else max(values)
            answer[sample, place] = best + int(network.readout.bias[place])
    return answer


def _arriving(case: Case) -> list[NDArray[np.int64]]:
    """The accumulators of the integrators, step by step, as sums of a readout in their place."""
    network = case.network
    summing = QuantizedNetwork(
        network.input,
        network.populations[:-1],
        tuple(replace(p, target=READOUT) if p.target == NAME else p for p in network.projections),
        Readout(np.zeros(network.readout.shape, np.int32)),
        network.time_steps,
    )
    stream = Stream(summing, case.inputs.shape[network.input.sample_axis])
    static = network.input.static
    return [
        stream.step(case.inputs if static else case.inputs[t]).readout
        for t in range(case.time_steps)
    ]


def _potentials(read: Population, place: int, arriving: list[int]) -> list[int]:
    """What one integrator holds after every step: docs/numerics.md, rounding toward zero."""
    neuron, low, high = read.neuron, read.neuron.state_format.low, read.neuron.state_format.high

    def clip(value: int) -> int:
        return max(low, min(high, value))

    def times(value: int, factor: int, bits: int) -> int:
        size = abs(value * factor) >> bits
        return size if value * factor >= 0 else -size

    raw = {n: int(np.broadcast_to(c, read.shape)[place]) for n, c in neuron.constants.items()}
    i = v = 0
    values = []
    for total in arriving:
        x = clip(times(total, int(read.gain[place]), read.gain_shift) + int(read.bias[place]))
        if "current_decay" in raw:
            x = i = clip(times(i, raw["current_decay"], neuron.factor_bits) + x)
        v = clip(times(v, raw["decay"], neuron.factor_bits) + x + raw.get("leak", 0))
        values.append(v)
    return values
