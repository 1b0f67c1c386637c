"""Which lanes a neuron is given: at the ends of what each can hold."""

import numpy as np
import pytest
from support.raw_neurons import lif_hard, lif_soft, sampled

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.neuron import Neuron, constant
from arlif.core.real_neurons import RealArlif, RealLifWeighted
from arlif.core.tables import LookupTable, TableDomain
from arlif.kernels.integer_printer import IntegerKernel
from arlif.kernels.integer_widths import fits_16_bits, has_wide_products, joined_fields

SIXTEEN = FixedPointFormat(16, 8)
CELLS = TableDomain(256)


def fits(neuron: IntegerNeuron) -> bool:
    return fits_16_bits(neuron, IntegerKernel(neuron.graph))


def table(low: int, high: int, entries: int = 16, first: int = 0, shift: int = 0) -> LookupTable:
    return LookupTable(np.resize([low, high], entries), first, shift)


def arlif(one: int = 256, bits: int = 8, **tables: LookupTable) -> IntegerNeuron:
    kept = {name: table(0, one) for name in ("threshold", "gate", "drive", "reset")}
    raw = {"decay": 1 << bits}
    return IntegerNeuron.of(RealArlif(), SIXTEEN, bits, raw, {**kept, **tables})


@pytest.mark.parametrize(("bits", "expected"), [(16, True), (17, False)])
def test_states_of_16_bits(bits: int, expected: bool) -> None:
    assert fits(lif_soft(FixedPointFormat(bits, 8), 8, 128, 256)) == expected


@pytest.mark.parametrize(("bits", "expected"), [(15, True), (16, False)])
def test_factors_of_15_bits(bits: int, expected: bool) -> None:
    assert fits(lif_hard(SIXTEEN, bits, 1 << bits, 256)) == expected


@pytest.mark.parametrize(("gain", "expected"), [(0, True), (-1, False)])
def test_factors_are_not_negative(gain: int, expected: bool) -> None:
    raw = {"decay": 1, "threshold": 256, "gain": gain}
    assert fits(IntegerNeuron.of(RealLifWeighted, SIXTEEN, 8, raw)) == expected


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        (table(0, 32767 - 256), True),
        (table(0, 32768 - 256), False),  # beside the threshold, in a sum of 16 bits
        (table(0, 1, entries=256), True),
        (table(0, 1, entries=512), False),
        (table(0, 1, first=-32768), True),
        (table(0, 1, first=-32769), False),
        (table(0, 1, first=32767), True),
        (table(0, 1, first=32768), False),
        (table(0, 1, shift=15), True),
        (table(0, 1, shift=16), False),
    ],
)
def test_tables_of_16_bits(reset: LookupTable, expected: bool) -> None:
    assert fits(arlif(reset=reset)) == expected


def test_tables_that_are_read_together_have_the_same_cells() -> None:
    assert fits(arlif())
    assert not fits(arlif(drive=table(0, 256, first=1)))
    assert not fits(arlif(gate=table(0, 256, shift=1)))
    assert not fits(arlif(threshold=table(0, 256, entries=32)))


def test_a_gate_of_15_bits_is_a_factor_of_16() -> None:
    """32768 is a factor, and no integer of 16 bits with a sign: 1 - gate may wrap."""
    assert fits(arlif(bits=15, gate=table(0, 1 << 15)))
    assert not fits(arlif(bits=15, gate=table(-1, 1 << 15)))


class Sums(Neuron):
    """h = u + 2 x, written so that a part may leave 16 bits where the whole does not."""

    state = ("u",)
    threshold: float = constant(1.0)
    saturated: bool = False

    def step(self, ops, state, x):
        twice = x + x
        h = ops.saturate(ops.saturate(state.u - x) + twice if self.saturated else twice - x)
        return ops.fire(h, self.threshold), (h,)


def test_a_part_of_a_sum_may_wrap_but_of_one_that_saturates() -> None:
    """2 x leaves 16 bits. In 2 x - x, whose interval does too, saturation needs all of it."""
    assert not fits(sampled(Sums(), Numbers(SIXTEEN, 8, CELLS)))
    assert not fits(sampled(Sums(saturated=True), Numbers(SIXTEEN, 8, CELLS)))
    assert fits(sampled(Sums(), Numbers(FixedPointFormat(15, 8), 8, CELLS)))


@pytest.mark.parametrize(
    ("bits", "factor_bits", "decay", "wide"),
    [
        (16, 16, 1 << 16, False),
        (17, 16, 1 << 15, False),
        (17, 16, (1 << 15) + 1, True),
        (24, 12, 1 << 12, True),
    ],
)
def test_products_of_32_bits(bits: int, factor_bits: int, decay: int, wide: bool) -> None:
    neuron = lif_hard(FixedPointFormat(bits, 8), factor_bits, decay, 256)
    assert has_wide_products(neuron) == wide


def test_joined_tables_have_32_bits_for_all() -> None:
    assert joined_fields([table(-2048, 2047), table(0, 511), table(-512, 0)]) == [
        (0, 12),
        (12, 10),
        (22, 10),
    ]
    assert joined_fields([table(-2049, 2047), table(0, 511), table(-512, 0)]) is None
    assert joined_fields([table(0, 1), table(0, 1, shift=1)]) is None
