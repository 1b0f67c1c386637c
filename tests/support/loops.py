"""Small random networks with loops and delays, of dense maps, and inputs that fit them."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.real_neurons import RealLifSoft
from support.strategies import cases, chains_between
from support.strategies_neurons import neurons, rngs

CLASSES = 3


@dataclass(frozen=True)
class LoopCase:
    """A network with raw inputs that fit it."""

    network: QuantizedNetwork
    inputs: NDArray[np.int8]
    time_steps: int

    @classmethod
    def smallest(cls) -> "LoopCase":
        """One population of two neurons that feeds itself."""
        neuron = IntegerNeuron.of(
            RealLifSoft, FixedPointFormat(), 8, {"decay": 128, "threshold": 256}
        )
        one = np.ones(2, np.uint8)
        population = Population("a", (2,), neuron, one, 0, np.zeros(2, np.int32))
        weight = Dense(np.array([[100, -3], [7, 90]], np.int8))
        projections = (
            Projection(INPUT, "a", (weight,)),
            Projection("a", "a", (weight,), 0, 1),
            Projection("a", READOUT, (Dense(np.ones((CLASSES, 2), np.int8)),)),
        )
        readout = Readout(np.zeros(CLASSES, np.int32))
        network = QuantizedNetwork(Input((2,), 1.0), (population,), projections, readout, 3)
        return cls(network, np.array([[3, 1], [0, 5]], np.int8), 3)


@st.composite
def loop_cases(draw: st.DrawFn, longest: int = 5) -> LoopCase:
    """Up to three populations, joined forwards and backwards, with delays up to `longest`."""
    rng = draw(rngs())
    names = [INPUT, *(f"p{index}" for index in range(draw(st.integers(1, 3))))]
    sizes = {name: draw(st.integers(1, 5)) for name in names} | {READOUT: CLASSES}
    projections = []

    def connect(source: str, target: str, delay: int) -> None:
        weight = rng.integers(-127, 128, (sizes[target], sizes[source])).astype(np.int8)
        shift = draw(st.integers(0, 2))
        projections.append(Projection(source, target, (Dense(weight),), shift, delay))

    for place, source in enumerate(names):
        for other, target in enumerate(names[1:], 1):
            forward = other > place
            if other == place + 1 or draw(st.booleans()):
                connect(source, target, draw(st.integers(0 if forward else 1, longest)))
    connect(names[-1], READOUT, draw(st.sampled_from((0, 0, 1, longest))))
    for source in names[:-1]:
        if draw(st.booleans()):
            connect(source, READOUT, draw(st.integers(0, longest)))
    populations = []
    for name in names[1:]:
        shape = (sizes[name],)
        neuron = draw(neurons(shape))
        top = min(neuron.state_format.one, neuron.state_format.high)
        gain = rng.integers(1, 256, shape).astype(np.uint8)
        bias = rng.integers(-top // 4, top // 2 + 1, shape).astype(np.int32)
        shift = int(np.clip(15 - neuron.state_format.frac_bits, 0, 31))
        populations.append(Population(name, shape, neuron, gain, shift, bias))
    source = Input((sizes[INPUT],), 0.1, static=draw(st.booleans()))
    steps, samples = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    network = QuantizedNetwork(
        source,
        tuple(draw(st.permutations(populations))),
        tuple(draw(st.permutations(projections))),
        Readout(rng.integers(-9, 10, CLASSES).astype(np.int32)),
        steps,
    )
    lead = (samples,) if source.static else (steps, samples)
    inputs = rng.integers(-127, 128, (*lead, sizes[INPUT])).astype(np.int8)
    return LoopCase(network, inputs, steps)


@st.composite
def image_loop_cases(draw: st.DrawFn) -> LoopCase:
    """Any random network whose projections wait, with convolutions that go back."""
    case = draw(cases(max_populations=3, max_samples=3, max_steps=6))
    network = case.network
    delays = st.sampled_from((0, 0, 1, 2, 5))
    projections = [replace(p, delay=draw(delays)) for p in network.projections]
    order = [p.name for p in network.populations]
    for place, source in enumerate(order):
        for target in order[: place + 1]:
            shapes = network.shape(source), network.shape(target)
            if draw(st.booleans()) and (len(shapes[0]) == 3 or len(shapes[1]) == 1):
                maps = draw(chains_between(*shapes))
                projections.append(Projection(source, target, maps, 0, draw(st.integers(1, 3))))
    try:
        looped = replace(network, projections=tuple(draw(st.permutations(projections))))
    except NetworkError:  # a sum that was at the edge of 32 bits
        looped = replace(
            network, projections=tuple(replace(p, delay=1) for p in network.projections)
        )
    return LoopCase(looped, case.inputs, case.time_steps)
