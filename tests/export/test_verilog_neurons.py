"""A neuron's printed logic is its step: every neuron, at the ends of tables and states."""

import re
from dataclasses import replace

import numpy as np
import pytest
from support.raw_neurons import cuba, lif_hard, lif_soft, lif_subtract, sampled
from support.user_neurons import Adaptive
from support.verilog_projects import needs_icarus, neuron_on_vectors

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS, IntegerNeuron, Numbers
from arlif.core.proven_ranges import NeuronRanges, neuron_ranges
from arlif.core.real_neurons import RealArlif, RealClif
from arlif.core.tables import LookupTable, TableDomain
from export.verilog.netlist import Part, neuron_netlist
from export.verilog.pipeline import FAST, LOGIC, Pipeline

COMPACT, WIDE = PRESETS["compact16"], PRESETS["loihi24"]
NARROW = Numbers(FixedPointFormat(8, 4), 4, TableDomain(16, -8.0, 8.0))


def arlif(numbers: Numbers, **constants) -> IntegerNeuron:
    return sampled(RealArlif(**{"decay": 0.5, "alpha": 0.8, "beta": 0.3, **constants}), numbers)


NEURONS = {
    "arlif 16": arlif(COMPACT),
    "arlif 16, strong": arlif(COMPACT, decay=0.9, alpha=1.0, beta=-0.7),
    "arlif 24": arlif(WIDE),
    "arlif 8": arlif(NARROW, decay=0.75),
    "arlif without memory": arlif(COMPACT, memory=False),
    "lif soft 16": lif_soft(COMPACT.state_format, 8, 128, 256),
    "lif hard 24": lif_hard(WIDE.state_format, 12, 3584, 4096),
    "lif subtract": lif_subtract(COMPACT.state_format, 8, 224, 256, 300, 85),
    "clif": sampled(RealClif(), COMPACT),
    "cuba": cuba(FixedPointFormat(25, 6), 12, 3796, 3096, 4480, -500),
    "of a user": sampled(Adaptive(), COMPACT),
}


def everywhere(neuron: IntegerNeuron) -> NeuronRanges:
    """x and states anywhere in their format."""
    form = neuron.state_format
    whole = (form.low, form.high)
    return NeuronRanges(whole, dict.fromkeys(neuron.variables, whole), tuple(neuron.intervals()))


def edges(neuron: IntegerNeuron) -> np.ndarray:
    """Numbers at which something changes: of the format, of tables, of rounding."""
    form, one = neuron.state_format, neuron.state_format.one
    found = {form.low, form.low + 1, form.high - 1, form.high, 0, one, -one}
    found |= {
        int(v) for t in neuron.tables.values() for v in (t.low, t.high, t.low + (1 << t.shift))
    }
    near = np.unique([n + d for n in found for d in (-2, -1, 0, 1, 2)])
    return near[(near >= form.low) & (near <= form.high)]


def vectors(neuron: IntegerNeuron, ranges: NeuronRanges, count: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    sides = [ranges.x, *(ranges.states[name] for name in neuron.variables)]
    points = edges(neuron)
    drawn = [
        np.stack([rng.integers(low, high + 1, count) for low, high in sides], 1),
        np.stack([np.clip(rng.choice(points, count), *side) for side in sides], 1),
        np.stack([np.clip(rng.normal(0, 300, count), *side) for side in sides], 1),
    ]
    return np.concatenate(drawn).astype(np.int64)


def step(neuron: IntegerNeuron, given: np.ndarray) -> np.ndarray:
    state = neuron.state_type(*given.T[1:])
    spikes, after = neuron.step(neuron.ops(), state, given[:, 0])
    return np.stack([np.broadcast_to(v, len(given)).astype(np.int64) for v in (spikes, *after)], 1)


@needs_icarus
@pytest.mark.parametrize("name", NEURONS)
def test_logic_is_the_step(name: str, tmp_path) -> None:
    neuron = NEURONS[name]
    ranges = everywhere(neuron)
    given = vectors(neuron, ranges, 1500)
    want = step(neuron, given)
    assert 0 < want[:, 0].mean() < 1
    np.testing.assert_array_equal(neuron_on_vectors(neuron, ranges, given, tmp_path), want)


@needs_icarus
@pytest.mark.parametrize("name", ["arlif 16", "cuba", "of a user"])
def test_logic_at_proven_widths_is_the_step(name: str, tmp_path) -> None:
    neuron = NEURONS[name]
    ranges = neuron_ranges(neuron, (-900, 700))
    given = vectors(neuron, ranges, 1000)
    got = neuron_on_vectors(neuron, ranges, given, tmp_path)
    np.testing.assert_array_equal(got, step(neuron, given))


@needs_icarus
def test_another_constant_or_cell_is_seen(tmp_path) -> None:
    neuron = NEURONS["arlif 16"]
    ranges = everywhere(neuron)
    given = vectors(neuron, ranges, 1500)
    reset = neuron.tables["reset"]
    cells = reset.values.copy()
    cells[137] ^= 1
    flipped = {**neuron.tables, "reset": LookupTable(cells, reset.low, reset.shift)}
    for number, wrong in enumerate(
        (
            replace(neuron, tables=flipped),
            replace(neuron, constants={**neuron.constants, "decay": 127}),
        )
    ):
        printed = replace(ranges, nodes=tuple(wrong.intervals()))
        got = neuron_on_vectors(wrong, printed, given, tmp_path / str(number))
        assert (got != step(neuron, given)).any()


def test_widths_are_those_that_were_proven() -> None:
    neuron = NEURONS["arlif 16"]
    ranges = neuron_ranges(neuron, (-900, 700))
    netlist = neuron_netlist(neuron, ranges)
    assert netlist.interval(netlist.inputs["s_u"]) == ranges.states["u"]
    clipped = {netlist.wires[place].part for place in netlist.needed()}
    assert Part.CLIP in clipped  # of the tables' domain
    assert len(neuron_netlist(neuron, everywhere(neuron)).needed()) > len(netlist.needed())


def test_a_pipeline_registers_what_it_cuts() -> None:
    neuron = NEURONS["arlif 16"]
    netlist = neuron_netlist(neuron, neuron_ranges(neuron, (-900, 700)))
    deep, flat = Pipeline("n", netlist, FAST), Pipeline("n", netlist, LOGIC)
    assert flat.latency == 0
    assert not flat.registers
    assert deep.latency >= 5
    assert "posedge" in deep.text()


def test_no_name_is_a_word_of_systemverilog() -> None:
    text = "".join(
        Pipeline("update0", neuron_netlist(n, everywhere(n)), FAST).text() for n in NEURONS.values()
    )
    words = set(re.findall(r"\b[a-z]\w*\b", re.sub(r"//.*", "", text)))
    assert not words & {"inside", "bit", "logic", "final", "do", "expect", "byte", "int", "var"}
