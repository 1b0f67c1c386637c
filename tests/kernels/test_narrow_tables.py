"""Tables that lanes of 16 bits look up by shuffles, where there are some, are the reference's."""

from dataclasses import replace

import numpy as np
import pytest
from support.integer_populations import check
from support.raw_neurons import arlif

from arlif.core.formats import FixedPointFormat
from arlif.core.network import Population
from arlif.core.tables import LookupTable
from arlif.kernels import build
from arlif.kernels.integer_update import IntegerUpdate
from arlif.kernels.integer_widths import fits_16_bits

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")


@pytest.mark.parametrize("entries", [16, 256])
@pytest.mark.parametrize("least", [0, -300, 1 << 13])
@pytest.mark.parametrize("reach", [0, 127, 128, 3000])
@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_tables_whose_halves_add_up_to_one_number_or_nearly(entries, least, reach, lacking):
    rng = np.random.default_rng(reach)
    lower = np.linspace(least, least + reach, entries // 2).round()
    upper = 2 * least + 256 - lower[::-1] - rng.integers(0, lacking + 1, entries // 2)
    one = LookupTable(np.full(entries, 256), -8 * entries, 4)
    tables = [one, replace(one, values=np.arange(entries)), replace(one, values=one.values // 2)]
    values = np.concatenate([lower, upper]).astype(np.int32)
    neuron = arlif(FixedPointFormat(16, 8), 8, 128, *tables, replace(one, values=values))
    population = Population("p", (32,), neuron, np.full(32, 128), 7, np.zeros(32, np.int32))
    assert fits_16_bits(neuron, IntegerUpdate(population).kernel)
    acc = rng.integers(-3000, 3000, (4, 9, 32)).astype(np.int32)
    start = neuron.state_type(*rng.integers(-2100, 2100, (2, 9, 32)).astype(np.int32))
    check(population, acc, 4, 1, start)
