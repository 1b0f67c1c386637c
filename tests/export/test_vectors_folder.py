"""Golden vectors and the memory map: they say all of a network, in words that others can read."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hardware_chip import chip
from support.loops import image_loop_cases, loop_cases
from support.networks_integer import example_network
from support.networks_small import digits_like
from support.readings import reading_cases
from support.ring import Ring
from support.strategies import cases

from arlif.base.errors import ArlifError, FormatError
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Projection, QuantizedNetwork
from export.golden import golden, golden_of
from export.vectors import write_vectors
from export.vectors.hex_text import from_hex, hex_text
from export.vectors.layouts import MOST_VALUES, layouts, values_of
from export.vectors.memory_map import memory_map
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

CHIP = chip()
CASES = cases(max_populations=3, max_steps=6)
FEW = settings(max_examples=10, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vectors of a network with every kind of map."""
    place = tmp_path_factory.mktemp("vectors")
    network = example_network()
    write_vectors(network, golden(network, 3), place)
    return place


@FEW
@given(
    st.one_of(CASES, loop_cases(), image_loop_cases(), reading_cases(max_steps=6)),
)
def test_files_alone_are_enough_for_every_bit(tmp_path_factory, case) -> None:
    place = tmp_path_factory.mktemp("vectors")
    vectors = golden_of(case.network, case.inputs)
    write_vectors(case.network, vectors, place)
    got = CHIP.run(CHIP.load(place), np.load(place / "input.npy"), "")
    want = values_of(case.network, vectors)
    assert got.keys() == want.keys()
    for name, values in want.items():
        np.testing.assert_array_equal(got[name], values, name)


def test_the_vectors_are_what_the_engine_does(folder: Path) -> None:
    network = example_network()
    inputs = np.load(folder / "input.npy")
    np.testing.assert_array_equal(inputs, golden(network, 3).inputs)
    engine = reference.simulate(network, inputs, network.time_steps, Record.everything(network))
    np.testing.assert_array_equal(np.load(folder / "readout.npy"), engine.readout)
    np.testing.assert_array_equal(np.load(folder / "decisions.npy"), engine.decisions)
    for name, trace in engine.traces.items():
        np.testing.assert_array_equal(np.load(folder / f"{name}.spikes.npy"), trace.spikes)
        for state, values in trace.states.items():
            np.testing.assert_array_equal(np.load(folder / f"{name}.state.{state}.npy"), values)


def test_both_forms_and_the_manifest_say_the_same(folder: Path) -> None:
    manifest = json.loads((folder / "vectors.json").read_text())
    memory = json.loads((folder / manifest["memory"]).read_text())["memory"]
    image = np.load(folder / "memory" / "image.npy")
    assert len(image) == memory["bytes"]
    found = [(folder, name, facts) for name, facts in manifest["arrays"].items()]
    found += [(folder / "memory", name, facts) for name, facts in memory["arrays"].items()]
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.npy")}
    said = {(where / f"{name}.npy").relative_to(folder).as_posix() for where, name, _ in found}
    assert said | {"memory/image.npy"} == names
    for where, name, facts in found:
        values = np.load(where / f"{name}.npy", allow_pickle=False)
        assert (list(values.shape), values.dtype.name) == (facts["shape"], facts["dtype"])
        assert len(facts["axes"]) == values.ndim
        text = (where / f"{name}.hex").read_text()
        assert {len(word) for word in text.split()} == {-(-facts["bits"] // 4)}
        read = from_hex(text, facts["bits"], facts["signed"])
        np.testing.assert_array_equal(read.reshape(values.shape), values)
    for name, facts in memory["arrays"].items():
        assert facts["address"] % 4 == 0
        data = image[facts["address"] : facts["address"] + facts["bytes"]].tobytes()
        stored = np.load(folder / "memory" / f"{name}.npy")
        little = np.dtype(facts["dtype"]).newbyteorder("<")
        assert data == stored.astype(little).tobytes()


def test_ranges_widths_and_scales_are_proven_ones() -> None:
    network, inputs = digits_like(3)
    vectors = golden_of(network, inputs)
    known = layouts(network, 3)
    for name, values in values_of(network, vectors).items():
        layout = known[name]
        assert layout.low <= values.min() <= values.max() <= layout.high, name
        assert values.shape == layout.shape
        least = -(1 << (layout.bits - 1)) if layout.signed else 0
        assert least <= layout.low
        assert layout.high < 1 << (layout.bits - layout.signed)
        narrower = layout.bits - layout.signed - 1  # one bit less would not do
        assert layout.bits == 1 or not (
            -(1 << narrower) <= layout.low and layout.high < 1 << narrower
        )
    first = network.populations[0]
    assert known[f"{first.name}.state.u"].scale == 1 / first.neuron.state_format.one
    assert known["input"].scale == network.input.scale
    assert known["readout"].scale == network.readout.scale


@pytest.mark.parametrize(
    ("bits", "low", "high"), [(1, 0, 1), (7, -64, 63), (33, -(2**32), 2**32 - 1)]
)
def test_words_are_read_as_they_were_written(bits: int, low: int, high: int) -> None:
    values = np.array([low, high, 0, high - 1, low + 1])
    text = hex_text(values, bits)
    assert text.count("\n") == 5
    np.testing.assert_array_equal(from_hex(text, bits, low < 0), values)


def test_words_of_other_tools_are_read() -> None:
    text = "// written by a simulator\n3ffe FFFE /* both */ 00_05\nfffffffe"
    np.testing.assert_array_equal(from_hex(text, 14, True), [-2, -2, 5, -2])
    np.testing.assert_array_equal(from_hex("3ffe 5", 14, False), [0x3FFE, 5])
    np.testing.assert_array_equal(from_hex("7ffe", 14, True), [0x7FFE])  # past what is proven
    for wrong in ("xx", "@10 5", "1.5", "12345678901234567", "0x12"):
        with pytest.raises(FormatError, match="is no hexadecimal word"):
            from_hex(wrong, 8, True)


def test_what_would_be_too_much_is_refused() -> None:
    network = example_network()
    values = sum(int(np.prod(layout.shape)) for layout in layouts(network, 1).values())
    most = MOST_VALUES // values
    assert layouts(network, most)
    with pytest.raises(ArlifError, match="ask for fewer samples"):
        layouts(network, most + 1)


def test_a_map_of_a_users_own_is_described() -> None:
    network = ringed()
    described, memory = memory_map(network)
    (kind,) = described["projections"][0]["maps"]
    assert kind == {"type": "Ring", "weight": {"array": "projection0.map0.weight"}}
    np.testing.assert_array_equal(memory.arrays["projection0.map0.weight"].values, [3, -1])


def ringed() -> QuantizedNetwork:
    """A network whose first map is none of arlif's."""
    network = example_network()
    population = replace(
        network.populations[0], shape=(2, 6, 6), gain=np.ones(2), bias=np.zeros(2, np.int32)
    )
    name, weight = population.name, np.ones((5, 72), np.int8)
    projections = (
        Projection(INPUT, name, (Ring(np.array([3, -1], np.int8)),)),
        Projection(name, READOUT, (Dense(weight),)),
    )
    return replace(network, populations=(population,), projections=projections)
