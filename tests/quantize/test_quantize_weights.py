"""How large one raw weight is: no clipping where bits are many, least error where they are few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arlif.quantize import Precision
from arlif.quantize.scales import weight_step

SEEDS = st.integers(0, 2**32 - 1)


def rounding_error(weights: list[np.ndarray], step: np.ndarray, limit: int) -> np.ndarray:
    """Squared error per channel, one weight after another."""
    total = np.zeros(len(step))
    for weight in weights:
        for channel, row in enumerate(weight.reshape(len(weight), -1)):
            for w in row:
                raw = min(max(round(w / step[channel]), -limit), limit)
                total[channel] += (w - raw * step[channel]) ** 2
    return total


def random_weights(seed: int, channels: int = 3) -> list[np.ndarray]:
    """Two projections into one population, with outliers."""
    rng = np.random.default_rng(seed)
    return [rng.standard_t(3, (channels, 4, 3, 3)), rng.standard_t(3, (channels, 5))]


@given(SEEDS, st.integers(6, 8))
def test_many_bits_clip_nothing(seed: int, bits: int) -> None:
    weights, limit = random_weights(seed), Precision(weight_bits=bits).weight_max
    largest = [max(np.abs(w[c]).max() for w in weights) for c in range(3)]
    np.testing.assert_allclose(weight_step(weights, limit) * limit, largest, rtol=1e-12)


@given(SEEDS, st.integers(2, 5))
def test_few_bits_round_with_less_error_than_without_clipping(seed: int, bits: int) -> None:
    weights, limit = random_weights(seed), Precision(weight_bits=bits).weight_max
    step = weight_step(weights, limit)
    unclipped = np.max([np.abs(w.reshape(3, -1)).max(1) for w in weights], axis=0) / limit
    chosen = rounding_error(weights, step, limit)
    assert (chosen <= rounding_error(weights, unclipped, limit) + 1e-12).all()
    for share in (0.9, 0.7, 0.5):
        assert (chosen <= rounding_error(weights, unclipped * share, limit) + 1e-12).all()


@pytest.mark.parametrize("bits", [2, 8])
def test_a_channel_of_zeros_has_no_step(bits: int) -> None:
    weights = [np.array([[0.0, 0.0], [1.0, -0.5]])]
    step = weight_step(weights, Precision(weight_bits=bits).weight_max)
    assert step[0] == 0
    assert step[1] > 0
