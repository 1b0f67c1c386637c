"""The fast engine equals the reference in every bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import ref

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.networks_small import digits_like
from support.raw_neurons import lif_soft
from support.simulations import assert_equal
from support.strategies import Case, cases
from torch import Tensor

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.integer.update import Update
from hw_sim.engines.simulation import Record, Simulation


def check(case: Case, block_elements: int, states: bool) -> None:
    record = Record.everything(case.network, states)
    engine = fast.FastEngine(case.network, block_elements=block_elements)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    assert_equal(want, engine.simulate(case.inputs, case.time_steps, record))
    unrecorded = Simulation(want.readout, want.counts, {})  # another way, see in_a_row.py
    assert_equal(unrecorded, engine.simulate(case.inputs, case.time_steps))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(), st.sampled_from((1, 50, 10**6)), st.booleans())
def test_equals_the_reference(case: Case, block_elements: int, states: bool) -> None:
    check(case, block_elements, states)


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("steps", [3, 600])
def test_the_readout_may_read_everything_for_long(static: bool, steps: int) -> None:
    """The input too, biases that overflow 32 bits over time, and more than one block of steps."""
    rng = np.random.default_rng(0)
    form = FixedPointFormat()
    neuron = lif_soft(form, 8, 128, form.one)
    population = Population("p", (5,), neuron, np.full(5, 9), 4, np.zeros(5))
    dense = [rng.integers(-127, 128, shape).astype(np.int8) for shape in ((5, 7), (2, 7), (2, 5))]
    network = QuantizedNetwork(
        Input((7,), 0.1, -127, 127, static),
        (population,),
        (
            Projection(INPUT, "p", (Dense(dense[0]),), 0),
            Projection(INPUT, READOUT, (Dense(dense[1]),), 3),
            Projection("p", READOUT, (Dense(dense[2]),), 1),
        ),
        Readout(np.array([2**30, -(2**30)], np.int32), 1.0),
        steps,
    )
    lead = (4,) if static else (steps, 4)
    inputs = rng.integers(-127, 128, (*lead, 7)).astype(np.int8)
    got = fast.simulate(network, inputs, steps)
    assert_equal(reference.simulate(network, inputs, steps), got)
    assert got.counts["p"].any()


@pytest.mark.parametrize("shift", [0, 1])
def test_sums_that_float32_holds_alone_are_exact_together(shift: int) -> None:
    """Both terms are just below 2**24; their sum, an odd number, needs a bit more."""
    weights = np.full((2, 1, 1040, 1, 1), 127, np.int8)
    weights[0, 0, 0] = 126
    projections = tuple(
        Projection(INPUT, "p", (Conv2d(weight),), power)
        for weight, power in zip(weights, (0, shift), strict=True)
    )
    form = FixedPointFormat(30, 8)
    neuron = lif_soft(form, 8, 0, form.high)
    population = Population("p", (1, 1, 1), neuron, np.ones(1, int), 0, np.zeros(1, int))
    network = QuantizedNetwork(
        Input((1040, 1, 1), 0.1, -127, 127, static=True),
        (population,),
        (*projections, Projection("p", READOUT, (Dense(np.ones((1, 1), np.int8)),))),
        Readout(np.zeros(1, np.int32)),
        1,
    )
    first, second = (127 * int(weight.sum(dtype=int)) for weight in weights)
    assert 2**23 < first < second < 2**24
    assert first % 2 == 1
    inputs = np.full((1, 1040, 1, 1), 127, np.int8)
    got = fast.simulate(network, inputs, 1, Record(("p",), True)).traces["p"].states["u"]
    assert got.item() == first + (second << shift)


@pytest.mark.parametrize(("weight", "ones"), [(127, 128), (127, 129), (-127, 129), (-127, 130)])
def test_sums_of_several_sources_around_16_bits(weight: int, ones: int) -> None:
    """127 * 257 + 128 is 2**15 - 1: the most and the least that 16 bits hold, and one beyond."""
    terms = np.full((2, 1, 257), weight, np.int8)
    terms[1, 0] = np.sign(weight) * (np.arange(257) < ones)
    projections = [Projection(INPUT, "p", (Dense(term),)) for term in terms]
    form = FixedPointFormat(30, 8)
    neuron = lif_soft(form, 8, 0, form.high)
    network = QuantizedNetwork(
        Input((257,), 1.0, 0, 1, static=True),
        (Population("p", (1,), neuron, np.ones(1, int), 0, np.zeros(1, int)),),
        (*projections, Projection("p", READOUT, (Dense(np.ones((1, 1), np.int8)),))),
        Readout(np.zeros(1, np.int32)),
        1,
    )
    got = fast.simulate(network, np.ones((1, 257), np.int8), 1, Record(("p",), True))
    assert got.traces["p"].states["u"].item() == terms.sum(dtype=int)


def watched(engine: fast.FastEngine, watch: Callable[[str, Tensor, Tensor, int], None]) -> None:
    """After each update of a population: its name, what came in, spikes out, time steps."""

    def wrap(name: str, update: Update) -> Update:
        def run(accumulators: Tensor, steps: int, state: Any, keep: bool, goes_on: bool) -> Any:
            done = update(accumulators, steps, state, keep, goes_on)
            watch(name, accumulators, done[0], steps)
            return done

        return run

    engine.compiled.updates = {
        name: wrap(name, update) for name, update in engine.compiled.updates.items()
    }


@pytest.mark.parametrize(
    ("elements", "samples", "blocks"),
    [
        (768 * 40, 9, [(4, 9)]),
        (768 * 16, 9, [(4, 3), (4, 3), (4, 3)]),  # 4 samples fit: three equal blocks, not 4, 4, 1
        (768 * 11, 5, [(4, 2), (4, 2), (4, 1)]),
        (768 * 3, 2, [(3, 1), (1, 1)] * 2),
        (768, 1, [(1, 1)] * 4),
        (1, 2, [(1, 1)] * 8),  # one step of one sample, however large it is
    ],
)
def test_blocks_hold_no_more_accumulators_than_that(elements, samples, blocks) -> None:
    network, inputs = digits_like(samples)
    assert max(np.prod(p.shape) for p in network.populations) == 768
    engine, seen = fast.FastEngine(network, block_elements=elements), []
    watched(engine, lambda name, _, spikes, steps: seen.append((name, steps, spikes.shape[1])))
    engine.simulate(inputs, 4)
    for population in network.populations:
        assert [block for name, *block in seen if name == population.name] == [*map(list, blocks)]


def chain(length: int, static: bool) -> QuantizedNetwork:
    """Populations one after another; the first also drives the last but one."""
    neuron = lif_soft(FixedPointFormat(), 8, 128, 256)
    names = [f"p{index}" for index in range(length)]
    populations = [Population(n, (2,), neuron, np.full(2, 9), 0, np.zeros(2)) for n in names]
    ends = zip([INPUT, *names], [*names, READOUT], strict=True)
    projections = [Projection(*pair, (Dense(np.full((2, 2), 9)),)) for pair in ends]
    around = Projection(names[0], names[-2], ())
    source, readout = Input((2,), 1.0, static=static), Readout(np.zeros(2))
    return QuantizedNetwork(source, tuple(populations), (*projections, around), readout, 4)


def test_spikes_that_no_later_population_reads_are_dropped() -> None:
    engine, alive, held = fast.FastEngine(chain(6, static=False)), {}, {}

    def watch(name: str, _: Tensor, spikes: Tensor, steps: int) -> None:
        held[name] = [other for other, reference in alive.items() if reference() is not None]
        alive[name] = ref(spikes)

    watched(engine, watch)
    engine.simulate(np.ones((4, 3, 2), np.int8), 4)
    assert held["p3"] == ["p0", "p2"]
    assert held["p5"] == ["p4"]


def test_accumulators_that_never_change_are_computed_once() -> None:
    seen: dict[str, set[int]] = {}
    engine = fast.FastEngine(chain(3, static=True), block_elements=2)
    watched(engine, lambda name, x, *_: seen.setdefault(name, set()).add(x.data_ptr()))
    engine.simulate(np.ones((1, 2), np.int8), 4)
    assert (len(seen["p0"]), engine.compiled.sums["p0"].constant) == (1, True)
    assert not engine.compiled.sums["p1"].constant


def test_two_populations_that_a_frame_drives_keep_accumulators_of_their_own() -> None:
    one = chain(3, static=True)
    maps = (Dense(np.array([[3, 5], [-7, 60]])),)
    joined = [Projection(*ends, maps) for ends in ((INPUT, "p0"), ("p0", READOUT), ("p1", READOUT))]
    around = Projection(INPUT, "p1", (Dense(np.array([[90, -4], [31, 2]])),))
    network = replace(one, populations=one.populations[:2], projections=(*joined, around))
    inputs, record = np.array([[5, 9], [-3, 8]], np.int8), Record.everything(network)
    assert_equal(
        reference.simulate(network, inputs, 4, record),
        fast.FastEngine(network, block_elements=4).simulate(inputs, 4, record),
    )


def test_states_are_kept_of_the_populations_that_are_recorded() -> None:
    """The others' would be time steps times neurons for nothing."""
    network, inputs = digits_like(2)
    engine, kept = fast.FastEngine(network), {}

    def wrap(name: str, update: Update) -> Update:
        def run(accumulators: Tensor, steps: int, state: Any, keep: bool, goes_on: bool) -> Any:
            kept[name] = keep
            return update(accumulators, steps, state, keep, goes_on)

        return run

    engine.compiled.updates = {
        name: wrap(name, update) for name, update in engine.compiled.updates.items()
    }
    for record in (Record(("7",), True), Record(("7",), False), Record()):
        engine.simulate(inputs, 4, record)
        assert kept == {"3": False, "7": record.states}


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(max_populations=6), st.sampled_from((1, 50, 10**6)), st.booleans())
def test_equals_the_reference_on_many_networks(
    case: Case, block_elements: int, states: bool
) -> None:
    check(case, block_elements, states)
