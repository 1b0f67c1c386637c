"""The embedded dataset and the registry."""

import numpy as np
import pytest
import torch

from arlif import data
from arlif.base.errors import ArlifError


def test_digits_split_is_fixed_and_stratified():
    digits = data.load("digits")
    assert digits.train.inputs.shape == (1347, 1, 8, 8)
    assert digits.test.inputs.shape == (450, 1, 8, 8)
    assert digits.train.inputs.max() == 16
    shares = np.bincount(digits.test.labels) / np.bincount(digits.train.labels)
    assert np.allclose(shares, 1 / 3, atol=0.02)
    again = data.load("digits")
    assert np.array_equal(again.test.inputs, digits.test.inputs)
    rows = {row.tobytes() for row in digits.train.inputs}
    assert not any(row.tobytes() in rows for row in digits.test.inputs)


def test_network_input_is_time_first_and_scaled():
    digits = data.load("digits")
    x = digits.info.network_input(torch.from_numpy(digits.test.inputs[:3]))
    assert x.shape == (1, 3, 1, 8, 8)
    assert float(x.max()) <= 1.0
    assert np.array_equal(x[0].numpy() * 16, digits.test.inputs[:3])


def test_unknown_dataset_lists_the_known_ones():
    with pytest.raises(ArlifError, match="digits"):
        data.load("imagnet")


def test_labels_out_of_range_are_refused():
    digits = data.load("digits")
    bad = data.Split(digits.test.inputs, digits.test.labels + 1)
    with pytest.raises(ArlifError, match="0 to 9, but reach 1 to 10"):
        data.Dataset(digits.info, digits.train, bad)


def test_subset_takes_the_same_number_of_every_class():
    part = data.load("digits").train.subset(5)
    assert np.array_equal(np.bincount(part.labels), [5] * 10)
