"""Gains are rounded up, so that no weight is clipped; inputs get the range of their samples."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlif.base.errors import ArlifError, LoweringError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.network import INPUT, Input, QuantizedNetwork
from arlif.core.real_neurons import RealLifSoft
from arlif.quantize import Precision, calibrate_input, quantize
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    RealDense,
    Term,
)

FRAC_BITS = 8
ONE = 2**FRAC_BITS


def integers(weight: np.ndarray, precision: Precision | None = None) -> QuantizedNetwork:
    """One layer of these real weights [neurons, inputs]."""
    term = Term(INPUT).weighted(RealDense(weight))
    current = Current((term,), np.zeros(len(weight)), (len(weight),))
    head = Term("p").weighted(RealDense(np.ones((1, len(weight)))))
    network = LinearizedNetwork(
        (weight.shape[1],),
        False,
        (LinearizedPopulation("p", RealLifSoft(0.5, 1.0), current),),
        Current((head,), np.zeros(1), (1,)),
    )
    source = Input((weight.shape[1],), 1.0, -127, 127, static=False)
    return quantize(network, source, precision or Precision(), 2)


@given(st.integers(0, 2**32 - 1), st.integers(6, 8), st.floats(1e-5, 5))
def test_gains_are_the_least_integers_that_clip_nothing(seed: int, bits: int, size: float) -> None:
    weight = np.random.default_rng(seed).normal(0, size, (6, 5))
    network = integers(weight, Precision(weight_bits=bits))
    (population,) = network.populations
    limit = 2 ** (bits - 1) - 1
    needed = np.abs(weight).max(1) / limit * ONE * 2.0**population.gain_shift
    assert (population.gain >= needed).all()
    assert (population.gain < needed + 1).all()
    assert population.gain_shift == 31 or 2 * needed.max() > 255
    (raw,) = network.incoming("p")[0].maps
    steps = weight / (population.gain[:, None] / 2.0**population.gain_shift / ONE)
    assert (np.abs(raw.weight - steps) <= 0.5 + 1e-9).all()


def layer(step: float) -> QuantizedNetwork:
    """A layer whose raw weights are worth `step` state steps."""
    return integers(np.array([[step * 127 / ONE, 0.0]]))


@pytest.mark.parametrize(
    ("step", "gain", "shift"),
    [
        (255, 255, 0),
        (128, 128, 0),
        (127.5, 255, 1),
        (127.75, 128, 0),
        (1, 128, 7),
        (255 / 256, 255, 8),
        (255.25 / 256, 128, 7),
        (1 / 256 + 2.0**-24, 129, 15),
    ],
)
def test_the_largest_shift_whose_gains_fit_8_bits(step: float, gain: int, shift: int) -> None:
    (population,) = layer(step).populations
    assert (population.gain.tolist(), population.gain_shift) == ([gain], shift)
    assert gain == ceil(step * 2**shift)


def test_weights_past_255_steps_are_refused() -> None:
    layer(255)
    with pytest.raises(LoweringError, match=r"population p: its weights reach 256 .*, past 255"):
        layer(255.5)


SHAPE = (2,)


def calibrated(*values: float, static: bool = False) -> tuple[int, int, float]:
    source = calibrate_input(np.array(values).reshape(-1, *SHAPE), SHAPE, static)
    return source.low, source.high, source.scale


@pytest.mark.parametrize("static", [True, False])
def test_the_raw_range_has_the_signs_of_the_samples(static: bool) -> None:
    assert calibrated(0.0, 0.3, 0.5, 0.0, static=static)[:2] == (0, 127)
    assert calibrated(0.1, 0.3, static=static)[:2] == (0, 127)
    assert calibrated(0.5, -1e-9, static=static)[:2] == (-127, 127)
    assert calibrated(-0.5, -0.1, static=static)[:2] == (-127, 127)


def test_counts_up_to_127_are_kept() -> None:
    assert calibrated(0, 127) == (0, 127, 1.0)
    assert calibrated(-127, 3) == (-127, 127, 1.0)
    assert calibrated(0, 128) == (0, 127, 128 / 127)
    assert calibrated(0, 126.5) == (0, 127, 126.5 / 127)
    assert calibrated(0, 127, static=True) == (0, 127, 1.0)
    assert calibrated(0, 64, static=True) == (0, 127, 64 / 127)


def test_a_calibrated_input_uses_its_whole_range() -> None:
    source = calibrate_input([[0.25, -0.75]], SHAPE, True)
    assert source.encode([[0.75, -0.75]]).tolist() == [[127, -127]]
    assert source.encode([[0.8, -0.8]]).tolist() == [[127, -127]]


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_inputs_without_a_range_are_refused(bad: float) -> None:
    with pytest.raises(ArlifError, match="finite inputs that are not all zero"):
        calibrated(bad, 0.0)


@pytest.mark.parametrize(("accepted", "refused"), [(2, 1), (8, 9)])
def test_weights_take_2_to_8_bits(accepted: int, refused: int) -> None:
    numbers = Numbers(FixedPointFormat(16, FRAC_BITS))
    assert Precision(numbers, accepted).weight_max == 2 ** (accepted - 1) - 1
    with pytest.raises(ArlifError, match=f"2 to 8 bits, not {refused}"):
        Precision(numbers, refused)
