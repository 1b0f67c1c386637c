"""A fault planted into one part of one layer is found there, whatever the network is."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.loops import image_loop_cases, loop_cases
from support.networks_integer import example_network
from support.raw_neurons import lif_soft
from support.readings import reading_cases
from support.strategies import cases

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense, LinearMap
from arlif.core.network import Input, Population, Projection, QuantizedNetwork, Readout
from arlif.core.tables import LookupTable
from export.golden import golden, golden_of
from export.vectors.layouts import values_of
from hw_sim.comparison.foreign import Part, compare_foreign

FEW = settings(max_examples=15, suppress_health_check=list(HealthCheck))
READOUT = "readout"
CASES = cases(max_populations=3, max_steps=6)


@dataclass(frozen=True)
class Planted:
    """What the specification does, and what an implementation with one fault does."""

    network: QuantizedNetwork
    layer: str
    part: Part
    want: dict[str, NDArray[Any]]
    got: dict[str, NDArray[Any]]


@st.composite
def planted(draw: st.DrawFn) -> Planted:
    """A random network with one wrong part that shows."""
    case = draw(st.one_of(CASES, loop_cases(), image_loop_cases(), reading_cases(max_steps=6)))
    network = case.network
    population = draw(st.sampled_from(network.populations))
    part = draw(st.sampled_from((Part.SYNAPSE, Part.GAIN, Part.NEURON, Part.SUM)))
    layer = READOUT if part is Part.SUM else population.name
    if part is Part.SYNAPSE and network.incoming(READOUT) and draw(st.booleans()):
        layer = READOUT
    try:
        broken = break_(network, layer, part)
    except NetworkError:  # a number at the edge of its range
        assume(False)
        raise
    want, got = (values_of(n, golden_of(n, case.inputs)) for n in (network, broken))
    assume(any((want[name] != got[name]).any() for name in want))
    return Planted(network, layer, part, want, got)


def break_(network: QuantizedNetwork, layer: str, part: Part) -> QuantizedNetwork:
    """The network with another number in one part of one layer."""
    if part is Part.SYNAPSE:
        wrong = next(p for p in network.projections if p.target == layer)
        changed = tuple(other(p) if p is wrong else p for p in network.projections)
        return replace(network, projections=changed)
    if part is Part.SUM:
        bias = network.readout.bias
        return replace(network, readout=replace(network.readout, bias=bias + 1))
    population = next(p for p in network.populations if p.name == layer)
    broken = shifted(population) if part is Part.GAIN else weak(population)
    kept = (broken if p is population else p for p in network.populations)
    return replace(network, populations=tuple(kept))


def other(projection: Projection) -> Projection:
    """With every weight's sign turned, or doubled where there is none."""
    turned = tuple(turn(linear) for linear in projection.maps)
    if all(a is b for a, b in zip(turned, projection.maps, strict=True)):
        return replace(projection, shift=projection.shift + 1)
    return replace(projection, maps=turned)


def turn(linear: LinearMap) -> LinearMap:
    weighted: Any = linear
    return replace(weighted, weight=-weighted.weight) if hasattr(linear, "weight") else linear


def shifted(population: Population) -> Population:
    """With another bias."""
    state = population.neuron.state_format
    bias = np.where(population.bias > 0, population.bias - 1, population.bias + 1)
    return replace(population, bias=np.clip(bias, state.low, state.high))


def weak(population: Population) -> Population:
    """With another number in everything that the neuron reads."""
    neuron = population.neuron
    constants = {n: value - np.sign(value) for n, value in neuron.constants.items()}
    constants = {n: int(v) if np.ndim(v) == 0 else v for n, v in constants.items()}
    tables = {
        name: LookupTable(table.values - np.sign(table.values), table.low, table.shift)
        for name, table in neuron.tables.items()
    }
    return replace(population, neuron=replace(neuron, constants=constants, tables=tables))


def earlier(case: Planted, name: str, index: tuple[int, ...]) -> bool:
    """Whether nothing that comes before a value in time, and feeds it, is wrong."""
    order = [p.name for p in case.network.populations]
    layer, _, kind = name.partition(".")
    step = index[0] if kind else case.network.time_steps
    for other_name in case.want:
        theirs, _, what = other_name.partition(".")
        wrong = case.want[other_name] != case.got[other_name]
        if what and wrong[: min(step, len(wrong))].any():
            return False
        before = theirs in order and (
            layer not in order or order.index(theirs) < order.index(layer)
        )
        if before and step < len(wrong) and wrong[step].any():
            return False
    return True


@FEW
@given(planted())
def test_with_all_arrays_the_part_and_the_place_are_named(case: Planted) -> None:
    found = compare_foreign(case.network, case.want, case.got)
    first = found.first
    assert first is not None
    assert (first.layer, first.suspects, first.missing) == (case.layer, (case.part.value,), ())
    assert found.missing == ()
    name = next(
        n
        for n in case.want
        if n in (f"{first.layer}.{first.variable.replace(' ', '.')}", first.variable)
    )
    index = (first.sample, *first.neuron)
    index = index if first.step is None else (first.step, *index)
    assert (first.want, first.got) == (case.want[name][index], case.got[name][index])
    assert first.want != first.got
    assert earlier(case, name, index)
    counted = {row.array: (row.compared, row.different) for row in found.arrays}
    assert counted == {n: (w.size, (w != case.got[n]).sum()) for n, w in case.want.items()}


@FEW
@given(planted(), st.data())
def test_with_some_arrays_the_part_is_among_the_suspects(case: Planted, data) -> None:
    names = data.draw(st.sets(st.sampled_from(sorted(case.want)), min_size=1))
    found = compare_foreign(case.network, case.want, {name: case.got[name] for name in names})
    assert {*found.missing} == case.want.keys() - names
    different = {n for n in names if (case.want[n] != case.got[n]).any()}
    assert (found.first is None) == (not different)
    if found.first is None:
        return
    suspects = found.first.suspects
    assert (case.part if found.first.layer == case.layer else Part.EARLIER).value in suspects
    assert len(suspects) == 1 or found.first.missing
    assert not {*found.first.missing} & names


def looped(delay: int, static: bool) -> QuantizedNetwork:
    """Two populations that feed each other and the readout, behind an input."""
    neuron = lif_soft(FixedPointFormat(), 8, 200, 256)
    ones = np.ones(2, np.uint8)
    layers_ = [Population(name, (2,), neuron, ones, 0, np.full(2, 30)) for name in "ab"]
    weight, back = (Dense(np.array(w, np.int8)) for w in ([[100, 90], [80, 70]], [[9, 7], [5, 3]]))
    return QuantizedNetwork(
        Input((2,), 1.0, 0, 3, static),
        tuple(layers_),
        (
            Projection("input", "a", (weight,)),
            Projection("a", "b", (weight,)),
            Projection("b", "a", (back,), 0, delay),
            Projection("b", READOUT, (weight,)),
            Projection("a", READOUT, (), 0, 2),
        ),
        Readout(np.zeros(2, np.int32)),
        time_steps=16,
    )


@pytest.mark.parametrize("part", [Part.SYNAPSE, Part.GAIN, Part.NEURON], ids=lambda p: p.name)
@pytest.mark.parametrize("delay", [1, 3])
@pytest.mark.parametrize("static", [True, False])
def test_a_fault_that_goes_round_a_loop_is_found_where_it_is(part, delay, static) -> None:
    network = looped(delay, static)
    inputs = golden(network, 3).inputs
    broken = network
    for _ in range(51):  # so often that it shows in spikes
        broken = break_(broken, "b", part)
    want, got = (values_of(n, golden_of(n, inputs)) for n in (network, broken))
    assert (want["a.accumulator"] != got["a.accumulator"]).any()
    first = compare_foreign(network, want, got).first
    assert first is not None
    assert (first.layer, first.suspects) == ("b", (part.value,))
    del got["b.spikes"]
    known = {n: v for n, v in got.items() if not n.startswith("b.")}
    first = compare_foreign(network, want, known).first
    assert first is not None
    assert (first.layer, first.variable, first.suspects) == (
        *(("a", "accumulator"), ("readout", "accumulator"))[first.layer == READOUT],
        ("earlier layer", "synapse"),
    )
    assert first.missing == ("b.spikes",)


def test_a_wrong_input_is_no_fault_of_a_layer() -> None:
    network = example_network()
    vectors = golden(network, 3)
    inputs = vectors.inputs.copy()
    inputs[2, 1, 3, 5] -= 9
    got = values_of(network, golden_of(network, inputs))
    want = values_of(network, vectors)
    first = compare_foreign(network, want, got).first
    assert first is not None
    assert (first.layer, first.sample, first.step, first.neuron) == ("input", 2, None, (1, 3, 5))
    assert first.suspects == ("input",)
    del got["input"]
    first = compare_foreign(network, want, got).first
    assert first is not None
    assert (first.layer, first.suspects, first.missing) == (
        "conv",
        ("input", "synapse"),
        ("input",),
    )


def test_a_tie_that_is_decided_otherwise_is_named() -> None:
    network = example_network()
    want = values_of(network, golden(network, 2))
    got = want | {"decisions": want["decisions"] + 1}
    first = compare_foreign(network, want, got).first
    assert first is not None
    assert (first.variable, first.suspects, first.neuron) == ("decision", ("argmax",), ())
