"""Proofs of printed hardware: they hold for neurons as they are, and planted faults are found."""

import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
from support.raw_neurons import cuba, lif_hard, lif_soft, sampled
from support.user_neurons import Adaptive

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS, IntegerNeuron
from arlif.core.proven_ranges import NeuronRanges, neuron_ranges
from arlif.core.real_neurons import RealArlif
from arlif.core.tables import LookupTable
from export.smt import cells
from hw_sim.engines.deployed.proof import Hardware, chosen, hardware, proven

pytest.importorskip("bitwuzla", reason="there is no Bitwuzla (pip install bitwuzla)")
pytestmark = pytest.mark.skipif(
    shutil.which("yosys") is None, reason="there is no yosys (apt-get install yosys)"
)
COMPACT = PRESETS["compact16"]
ARLIF = sampled(RealArlif(decay=0.5, alpha=0.8, beta=0.3), COMPACT)
LIF = lif_soft(COMPACT.state_format, 8, 128, 256)
CURRENTS = (-9000, 9000)


def found(
    neuron: IntegerNeuron, ranges: NeuronRanges, printed: Hardware, count: int
) -> list[dict[str, int] | None]:
    asked = chosen(neuron, ranges, count)
    return [verdict.found for verdict in proven(neuron, ranges, printed, asked)]


def nodes_of(wrong: IntegerNeuron, ranges: NeuronRanges) -> NeuronRanges:
    """What is proven of a neuron, for the nodes of a wrong one."""
    return replace(ranges, nodes=tuple(wrong.intervals({"x": ranges.x, **ranges.states})))


@pytest.mark.parametrize(
    "neuron",
    [
        LIF,
        lif_hard(PRESETS["loihi24"].state_format, 12, 3584, 4096),
        cuba(FixedPointFormat(25, 6), 12, 3796, 3096, 4480, -500),
    ],
    ids=lambda neuron: neuron.name,
)
def test_lif_is_proven_for_all_inputs(neuron: IntegerNeuron) -> None:
    ranges = neuron_ranges(neuron, CURRENTS)
    assert [cell.x for cell in cells(neuron, ranges)] == [CURRENTS]
    assert found(neuron, ranges, hardware(neuron, ranges), 9) == [None]


def test_arlif_is_proven_cell_by_cell() -> None:
    ranges = neuron_ranges(ARLIF, CURRENTS)
    every = cells(ARLIF, ranges)
    assert len(every) == 256
    assert (every[0].x[0], every[-1].x[1]) == CURRENTS
    assert all(a.x[1] + 1 == b.x[0] for a, b in pairwise(every))
    assert found(ARLIF, ranges, hardware(ARLIF, ranges), 1) == [None]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_arlif_is_proven_in_every_cell() -> None:
    ranges = neuron_ranges(ARLIF, CURRENTS)
    assert found(ARLIF, ranges, hardware(ARLIF, ranges), 256) == [None] * 256


@pytest.mark.slow
def test_a_neuron_of_a_user_is_proven() -> None:
    neuron = sampled(Adaptive(), COMPACT)
    ranges = neuron_ranges(neuron, (-2000, 2000))
    assert found(neuron, ranges, hardware(neuron, ranges), 4) == [None]


def test_a_floor_instead_of_toward_zero_is_found() -> None:
    ranges = neuron_ranges(LIF, CURRENTS)
    printed = hardware(LIF, ranges)
    floor = printed.text.replace(") + $signed({", ") + 0 * $signed({", 1)
    assert floor != printed.text
    assert found(LIF, ranges, replace(printed, text=floor), 1) == [{"x": -1, "u": -1}]


def test_a_smaller_decay_is_found() -> None:
    ranges = neuron_ranges(LIF, CURRENTS)
    wrong = replace(LIF, constants={**LIF.constants, "decay": 127})
    (difference,) = found(LIF, ranges, hardware(wrong, nodes_of(wrong, ranges)), 1)
    assert difference is not None


def test_a_flipped_bit_of_a_table_is_found() -> None:
    ranges = neuron_ranges(ARLIF, CURRENTS)
    reset = ARLIF.tables["reset"]
    values = reset.values.copy()
    values[137] ^= 1
    flipped = {**ARLIF.tables, "reset": LookupTable(values, reset.low, reset.shift)}
    wrong = replace(ARLIF, tables=flipped)
    printed = hardware(wrong, nodes_of(wrong, ranges))
    (verdict,) = proven(ARLIF, ranges, printed, [cells(ARLIF, ranges)[128]])
    assert verdict.found is not None


def test_a_state_that_leaves_its_proven_range_is_found() -> None:
    ranges = neuron_ranges(LIF, CURRENTS)
    narrow = replace(ranges, states={"u": (-9000, 9000)})
    (difference,) = found(LIF, narrow, hardware(LIF, ranges), 1)
    assert difference is not None
