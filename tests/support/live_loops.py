"""Random networks with loops and delays that fire: any map, any neuron, and a user's own."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.maps import Conv2d, LinearMap, Shape, chain_shape
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.real_neurons import RealLifHard, RealLifSoft, RealLifSubtract, RealLifWeighted
from arlif.core.tables import TableDomain
from hw_sim.engines.integer import reference
from support.strategies import Case, chains, chains_between
from support.strategies_graphs import graph_neurons
from support.strategies_neurons import neurons, rngs
from support.toy_neurons import AdaptiveThreshold, Bursting
from support.user_neurons import Adaptive

ALIVE = (0.02, 0.4)
"""Shares of steps in which the neurons of a population fire, at least and at most."""
FORWARD = (0, 0, 0, 0, 1, 2, 3, 7, 40, 300)
BACK = (1, 1, 1, 2, 2, 3, 4, 6, 11, 60)
STEPS = (1, 2, 4, 7, 11, 11, 18, 18, 33, 33)
TRIES = 24
"""How often the currents of a network are set anew until every population is alive."""

USERS = (AdaptiveThreshold(), Bursting(), Adaptive())
PLAIN = (RealLifSoft(), RealLifHard(), RealLifSubtract(), RealLifWeighted())
"""Neurons without tables, which the narrowest formats can hold."""


@st.composite
def narrow(draw: st.DrawFn) -> Numbers:
    """State formats of 4 and 5 bits."""
    bits = draw(st.integers(4, 5))
    return Numbers(FixedPointFormat(bits, 3), draw(st.integers(1, 8)), TableDomain(16, -1, 1))


@st.composite
def roomy(draw: st.DrawFn) -> Numbers:
    """Formats of 11 to 30 bits that hold whatever tables of a user's neuron give."""
    bits = draw(st.integers(11, 30))
    tables = TableDomain(draw(st.sampled_from((16, 64, 128))), -2.0, 2.0)
    return Numbers(FixedPointFormat(bits, bits - 6), draw(st.integers(2, 16)), tables)


@st.composite
def any_neuron(draw: st.DrawFn, shape: Shape) -> IntegerNeuron:
    """A neuron that comes with arlif, a user's, or random operations; constants of every kind."""
    match draw(st.sampled_from((*["own"] * 10, *["user"] * 4, "narrow", "narrow", "graph"))):
        case "graph":
            return draw(graph_neurons(shape))
        case "narrow":
            return draw(neurons(shape, PLAIN, narrow()))
        case "user":
            return draw(neurons(shape, USERS, roomy()))
        case _:
            return draw(neurons(shape))


@st.composite
def back_maps(draw: st.DrawFn, source: Shape, target: Shape) -> tuple[LinearMap, ...]:
    """What leads back: any chain, or between images of one size a convolution of every kind."""
    if len(source) == 3 and source[1:] == target[1:] and draw(st.booleans()):
        rng, dilation = draw(rngs()), draw(st.integers(1, 2))
        kernel = draw(st.sampled_from(((3, 3), (1, 3), (3, 1), (1, 1))))
        padding = tuple((size // 2) * dilation for size in kernel)
        groups = draw(
            st.sampled_from([g for g in (1, 2, 3) if not (source[0] % g or target[0] % g)])
        )
        weight = rng.integers(-127, 128, (target[0], source[0] // groups, *kernel))
        return (Conv2d(weight.astype(np.int8), (1, 1), padding, (dilation, dilation), groups),)
    return draw(chains_between(source, target))


def can_lead(source: Shape, target: Shape) -> bool:
    """Whether a chain of maps may lead from one shape to the other."""
    return len(source) == 3 or len(target) == 1


@st.composite
def live_loop_cases(draw: st.DrawFn, longest: int = STEPS[-1], most: int = 4) -> Case:
    """A network of up to `most` populations with at least one loop, and inputs of up to T steps."""
    side, rng = st.integers(3, 6), draw(rngs())
    image = st.tuples(st.integers(1, 3), side, side)
    shape: Shape = draw(image | image | image | st.tuples(st.integers(1, 8)))
    low, high = draw(st.sampled_from(((-127, 127), (0, 1), (-3, 90), (0, 127))))
    source = Input(shape, 0.01, low, high, draw(st.booleans()))
    shapes, projections = {INPUT: shape}, list[Projection]()

    def connect(sender: str, target: str, maps: tuple[LinearMap, ...], delays: tuple[int, ...]):
        shift, delay = draw(st.sampled_from((0, 0, 1, 3))), draw(st.sampled_from(delays))
        projections.append(Projection(sender, target, maps, shift, delay))

    placed: list[Population] = []
    for index in range(draw(st.integers(1, most))):
        name, sent = f"p{index}", {p.source for p in projections}
        first = draw(st.sampled_from([n for n in shapes if n not in sent] or list(shapes)))
        maps = draw(chains(shapes[first]))
        target = chain_shape(maps, shapes[first])
        connect(first, name, maps, FORWARD)
        for other in draw(st.lists(st.sampled_from(list(shapes)), max_size=2)):
            if can_lead(shapes[other], target):
                connect(other, name, draw(chains_between(shapes[other], target)), FORWARD)
        shapes[name] = target
        ones = np.ones(target[0], np.int32)
        neuron = draw(any_neuron(target))
        gain = rng.integers(1, 256, target[0]).astype(np.uint8)
        placed.append(Population(name, target, neuron, gain, 0, 0 * ones))
    names = [population.name for population in placed]
    ways = [
        (names[late], names[early])
        for late in range(len(names))
        for early in range(late + 1)
        if can_lead(shapes[names[late]], shapes[names[early]])
    ]
    sure = draw(st.sampled_from(ways))
    for late, early in ways:
        if (late, early) == sure or draw(st.sampled_from((False, False, True))):
            connect(late, early, draw(back_maps(shapes[late], shapes[early])), BACK)
    classes = draw(st.integers(1, 5))
    sent = {p.source for p in projections if p.source != p.target}
    for name in shapes:
        if name not in sent or name == names[-1] or draw(st.sampled_from((False, False, True))):
            connect(name, READOUT, draw(chains_between(shapes[name], (classes,))), FORWARD)
    readout = Readout(rng.integers(-1000, 1001, classes).astype(np.int32))
    time_steps = draw(st.sampled_from([steps for steps in STEPS if steps <= longest]))
    network = QuantizedNetwork(
        source, tuple(placed), tuple(draw(st.permutations(projections))), readout, time_steps
    )
    lead = (draw(st.integers(1, 3)),)
    lead = lead if source.static else (time_steps, *lead)
    inputs = rng.integers(low, high + 1, (*lead, *shape)).astype(np.int8)
    inputs[rng.random(inputs.shape) < draw(st.sampled_from((0, 0.5, 0.9)))] = 0
    return Case(alive(network, inputs, rng), inputs, time_steps)


def alive(
    network: QuantizedNetwork, inputs: NDArray[np.int8], rng: np.random.Generator
) -> QuantizedNetwork:
    """The network with gains and biases at which its populations fire, or the nearest found."""
    best, chosen = -1, network
    current = replace(
        network, populations=tuple(_first_current(network, p, rng) for p in network.populations)
    )
    for _ in range(TRIES):
        found = rates(current, reference.simulate(current, inputs, network.time_steps).counts)
        living = sum(map(is_alive, found.values()))
        if living > best:
            best, chosen = living, current
        if living == len(found):
            break
        moved = (_moved(p, found[p.name], rng) for p in current.populations)
        current = replace(current, populations=tuple(moved))
    return chosen


def rates(network: QuantizedNetwork, counts: dict[str, NDArray[np.integer]]) -> dict[str, float]:
    """The share of steps in which the neurons of each population fire."""
    return {name: float(count.mean()) / network.time_steps for name, count in counts.items()}


def is_alive(rate: float) -> bool:
    return ALIVE[0] <= rate <= ALIVE[1]


def _first_current(
    network: QuantizedNetwork, population: Population, rng: np.random.Generator
) -> Population:
    state = population.neuron.state_format
    reach = max(map(abs, network.accumulator_interval(population.name)))
    shift = int(np.clip(np.log2(max(reach, 1) * 32 / state.one), 0, 31))
    near = min(state.one, state.high)
    bias = rng.integers(-near // 8, near // 4 + 1, population.bias.shape).astype(np.int32)
    return replace(population, gain_shift=shift, bias=bias)


def _moved(population: Population, rate: float, rng: np.random.Generator) -> Population:
    """More current where it fires too rarely, less where it fires too often."""
    if is_alive(rate):
        return population
    state, up = population.neuron.state_format, rate < ALIVE[0]
    if rng.random() < 0.4:
        shift = int(np.clip(population.gain_shift + (-1 if up else 1), 0, 31))
        return replace(population, gain_shift=shift)
    quarters = 2.0 ** rng.integers(-2, 5) * (1 if up else -1)
    step = int(np.clip(state.one * quarters / 4, state.low, state.high)) or (1 if up else -1)
    bias = np.clip(population.bias + step, state.low, state.high).astype(np.int32)
    return replace(population, bias=bias)


@dataclass
class Tally:
    """What many networks held, and how often each of their populations fired."""

    held: Counter[str] = field(default_factory=Counter)
    rates: list[float] = field(default_factory=list)
    networks: int = 0

    def add(self, network: QuantizedNetwork, counts: dict[str, NDArray[np.integer]]) -> None:
        self.networks += 1
        self.held.update(held(network))
        self.rates += rates(network, counts).values()

    @property
    def alive(self) -> float:
        """The share of populations that are."""
        return sum(map(is_alive, self.rates)) / len(self.rates)

    def __str__(self) -> str:
        median, silent = np.median(self.rates), self.rates.count(0) / len(self.rates)
        return (
            f"{self.networks} networks, {len(self.rates)} populations: {self.alive:.1%} fire in "
            f"2 to 40 % of steps, {silent:.1%} never, median {median:.1%}; {dict(self.held)}"
        )


def held(network: QuantizedNetwork) -> Counter[str]:
    """What a network holds, by neuron, map, and way of its loops and delays."""
    found = Counter[str](p.neuron.name for p in network.populations)
    looped = {frozenset(p.name for p in part): network.chunk(part) for part in network.loops}
    for names, chunk in looped.items():
        if chunk is not None:
            found["loop of one" if len(names) == 1 else "loop of several"] += 1
    for projection in network.projections:
        found.update(type(linear).__name__ for linear in projection.maps)
        found["delayed"] += projection.delay > 0
        found["longer than T"] += projection.delay >= network.time_steps
    found["static" if network.input.static else "streamed"] += 1
    return found
