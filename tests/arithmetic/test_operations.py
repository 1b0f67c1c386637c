"""The operations of a step on torch tensors: integers, reals, and integers that learn."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.integer import TorchIntegerOps
from arlif.arithmetic.straight_through import QatOps, TrainableTable, state_type, substitute
from arlif.arithmetic.surrogates import STANDARD, SURROGATES, Rectangle, Surrogate, Triangle
from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.tables import LookupTable

FORM = FixedPointFormat(8, 4)
TABLE = LookupTable(np.arange(16, dtype=np.int32) ** 2 - 40, -32, 2)
"""Cells of four raw inputs over [-32, 31]."""
RAW = st.integers(-(2**29), 2**29)


def integers(factor_bits: int = 8) -> TorchIntegerOps:
    return TorchIntegerOps(FORM, factor_bits, torch.device("cpu"))


def qat(surrogate: Surrogate = STANDARD, factor_bits: int = 8) -> QatOps:
    return QatOps(FORM, factor_bits, surrogate)


@given(RAW, st.integers(-(2**16), 2**16), st.integers(0, 16))
def test_products_round_toward_zero(value: int, factor: int, bits: int) -> None:
    want = math.trunc(Fraction(value * factor, 1 << bits))
    got = integers(bits).multiply(torch.tensor([value]), factor)
    assert (got.tolist(), got.dtype) == ([want], torch.int64)
    exact = qat(Rectangle(), bits).multiply(torch.tensor([value], dtype=torch.float64), factor)
    assert exact.tolist() == [want]


def test_saturation_stops_at_both_ends() -> None:
    raw = torch.tensor([-1000, -129, -128, -127, 0, 126, 127, 128, 1000])
    want = [-128, -128, -128, -127, 0, 126, 127, 127, 127]
    got = integers().saturate(raw)
    assert (got.tolist(), got.dtype) == (want, torch.int32)
    assert qat().saturate(raw.double()).tolist() == want
    assert FloatOps().saturate(raw) is raw


def test_a_table_reads_its_cells_and_beyond_them_its_ends() -> None:
    raw = [-1000, -33, -32, -29, -28, -1, 0, 3, 4, 31, 32, 1000]
    cells = [0, 0, 0, 0, 1, 7, 8, 8, 9, 15, 15, 15]
    want = [int(TABLE.values[cell]) for cell in cells]
    x = torch.tensor(raw).view(3, 4)
    assert integers().lookup(TABLE, x).tolist() == torch.tensor(want).view(3, 4).tolist()
    table = TrainableTable(TABLE, lambda ops, x: ops.tanh(x), 100)
    assert qat().lookup(table, x.double()).flatten().tolist() == want
    with torch.no_grad():
        assert qat().lookup(table, x.double()).flatten().tolist() == want


def test_two_tables_of_one_backend_are_two() -> None:
    ops, other = integers(), LookupTable(-TABLE.values, TABLE.low, TABLE.shift)
    x = torch.tensor([5])
    assert ops.lookup(TABLE, x).tolist() == [-ops.lookup(other, x).item()]
    assert ops.lookup(TABLE, x).tolist() == [int(TABLE.values[9])]


def test_a_table_learns_by_the_slope_of_its_function() -> None:
    x = torch.tensor([8.0, -24.0], dtype=torch.float64, requires_grad=True)
    table = TrainableTable(TABLE, lambda ops, x: ops.tanh(x) + ops.sigmoid(x), 100)
    qat().lookup(table, x).sum().backward()
    real = x.detach() / FORM.one
    slope = (1 - real.tanh() ** 2 + real.sigmoid() * (1 - real.sigmoid())) * 100 / FORM.one
    assert torch.allclose(x.grad, slope)


@pytest.mark.parametrize("fires", [integers().fire, qat().fire, FloatOps().fire])
def test_a_neuron_fires_at_its_threshold(fires) -> None:
    h = torch.tensor([2.5, 3.0, 3.5])
    assert fires(h, torch.tensor(3.0)).tolist() == [0, 1, 1]
    assert fires(h.double() + 0.25, torch.tensor(3.0)).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("ops", "width"),
    [(FloatOps(), 1.0), (FloatOps(Rectangle(0.5)), 0.5), (qat(Rectangle(2)), 32)],
)
def test_the_surrogate_is_a_rectangle_of_its_width_around_the_threshold(ops, width) -> None:
    """Area 1, its edges included; in raw units where values are raw."""
    v = torch.tensor([-0.51, -0.5, 0.0, 0.5, 0.51], dtype=torch.float64) * width
    h = (v + 7).requires_grad_()
    ops.fire(h, torch.tensor(7.0)).sum().backward()
    assert h.grad.tolist() == [0, 1 / width, 1 / width, 1 / width, 0]


@pytest.mark.parametrize(
    ("ops", "width"),
    [(FloatOps(Triangle()), 1.0), (FloatOps(Triangle(0.5)), 0.5), (qat(Triangle(2)), 32)],
)
def test_a_triangle_falls_to_0_at_its_width_from_the_threshold(ops, width) -> None:
    """Area 1 and the rectangle's height; as ZIF of TET's program where width (gama) is 1."""
    v = torch.tensor([-1.25, -1.0, -0.75, -0.5, 0.0, 0.25, 1.0, math.nan], dtype=torch.float64)
    h = (v * width + 8).requires_grad_()
    ops.fire(h, torch.tensor(8.0)).sum().backward()
    assert h.grad.tolist() == [0, 0, 0.25 / width, 0.5 / width, 1 / width, 0.75 / width, 0, 0]


@pytest.mark.parametrize("kind", SURROGATES.values())
def test_spikes_keep_the_type_of_the_potential(kind) -> None:
    for dtype in (torch.float32, torch.float64):
        assert kind().spikes(torch.zeros(2, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("kind", SURROGATES.values())
def test_a_surrogate_without_width_is_refused(kind) -> None:
    with pytest.raises(ArlifError, match="the surrogate width must be positive, not 0"):
        kind(0)


def test_choices() -> None:
    condition, a, b = torch.tensor([True, False]), torch.tensor([1, 2]), torch.tensor([3, 4])
    for ops in (integers(), qat(), FloatOps()):
        assert ops.where(condition, a, b).tolist() == [1, 4]
    assert integers().select(condition, a, b).tolist() == [1, 4]
    spikes = torch.tensor([1.0, 0.0])
    for ops in (qat(), FloatOps()):
        assert ops.select(spikes, a.float(), b.float()).tolist() == [1, 4]
        assert ops.select(spikes, 0.5, 0.25).tolist() == [0.5, 0.25]
    assert FloatOps().select(spikes, 0.0, b.float()).tolist() == [0, 4]


@pytest.mark.parametrize("ops", [qat(), FloatOps()])
def test_the_gradient_of_a_choice_is_that_of_its_sum(ops) -> None:
    spikes = torch.tensor([1.0, 0.0], requires_grad=True)
    fired = torch.tensor([5.0, 6.0], requires_grad=True)
    silent = torch.tensor([2.0, 1.5], requires_grad=True)
    (ops.select(spikes, fired, silent) * torch.tensor([1.0, 10.0])).sum().backward()
    assert spikes.grad.tolist() == [3, 45]
    assert fired.grad.tolist() == [1, 0]
    assert silent.grad.tolist() == [0, 10]


def test_a_choice_beside_infinity_stays_a_number() -> None:
    spikes = torch.tensor([1.0, 0.0], requires_grad=True)
    silent = torch.tensor([math.inf, 3.0], requires_grad=True)
    out = FloatOps().select(spikes, torch.zeros(2), silent)
    assert out.tolist() == [0, 3]
    out.sum().backward()
    assert spikes.grad.tolist() == [0, -3]


def test_reals_are_neither_rounded_nor_tabulated() -> None:
    ops, x = FloatOps(), torch.tensor([0.3, -2.0])
    assert torch.equal(ops.multiply(x, 0.7), x * 0.7)
    assert torch.equal(ops.lookup(lambda same, x: same.sigmoid(x), x), torch.sigmoid(x))
    assert torch.equal(ops.tanh(x), torch.tanh(x))


def test_what_is_rounded_passes_its_gradient_on() -> None:
    x = torch.tensor([1.7, -1.7], requires_grad=True)
    y = substitute(2 * x, x.trunc())
    assert y.tolist() == [1, -1]
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]
    plain = torch.ones(2)
    assert substitute(plain, plain) is plain


@pytest.mark.parametrize(
    ("bits", "factor_bits", "want"),
    [
        (16, 9, torch.float32),
        (16, 10, torch.float64),
        (17, 8, torch.float32),
        (24, 8, torch.float64),
    ],
)
def test_the_type_of_states_holds_every_product(bits: int, factor_bits: int, want) -> None:
    """An integer beside the largest product, low times a factor of 1, is exact there too."""
    form = FixedPointFormat(bits, 4)
    assert state_type(form, factor_bits) == want
    product = form.low * (1 << factor_bits) + 1
    assert (int(torch.tensor(product, dtype=torch.float32)) == product) == (want == torch.float32)
