"""Random real-valued networks, written as NIR and read back, mean the same."""

from dataclasses import astuple
from pathlib import Path

import nir
import numpy as np
import pytest
from hypothesis import assume, given, settings
from numpy.typing import NDArray
from support.strategies_real import linearized_networks

from arlif.base.seal import sealed_path
from arlif.quantize import linearize
from arlif.quantize.linearized import Current, LinearizedNetwork, RealConv2d, RealDense
from export.hdf5 import read_tree
from export.nir.conventions import REAL_NEURONS, Convention, exact, portable, unscaled
from export.nir.load import network_of
from export.nir.write_lif import lif_graph


def there_and_back(
    network: LinearizedNetwork, convention: Convention, path: Path
) -> LinearizedNetwork:
    with sealed_path(path) as temporary:
        nir.write(temporary, lif_graph(network, convention))
    found = network_of(read_tree(path)["node"], None)
    assert found.static == network.static
    return linearize(found.module, found.input_shape)


def between_all(weights: RealConv2d | RealDense) -> NDArray[np.float64]:
    """Weights of a convolution in groups as those of one without; files hold these."""
    if isinstance(weights, RealDense):
        return weights.weight
    outputs, each, *kernel = weights.weight.shape
    full = np.zeros((outputs, each * weights.groups, *kernel))
    for output, row in enumerate(weights.weight):
        first = each * (output * weights.groups // outputs)
        full[output, first : first + each] = row
    return full


def assert_same_current(want: Current, got: Current) -> None:
    assert got.shape in (want.shape, (*want.shape, 1, 1))
    assert np.allclose(got.bias, want.bias, rtol=1e-5, atol=1e-6)
    assert len(got.terms) == len(want.terms)
    for a, b in zip(want.terms, got.terms, strict=True):
        assert (a.source, a.before, a.after) == (b.source, b.before, b.after)
        assert a.weights is not None
        assert b.weights is not None
        x, y = between_all(a.weights) * a.scale, between_all(b.weights) * b.scale
        assert x.size == y.size
        assert np.allclose(x.ravel(), y.ravel(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("convention", [portable, unscaled, exact])
@settings(max_examples=12)
@given(drawn=linearized_networks())
def test_networks_mean_the_same(
    drawn: tuple[LinearizedNetwork, object],
    convention: Convention,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    network, _ = drawn
    currents = [*(p.current for p in network.populations), network.readout]
    pools = [pool for current in currents for term in current.terms for pool in term.after]
    assume(all(pool.padding == (0, 0) for pool in pools))
    assume(not any(term.pools for current in currents for term in current.terms))
    assume(all(type(p.neuron).__name__ in REAL_NEURONS for p in network.populations))
    back = there_and_back(network, convention, tmp_path_factory.getbasetemp() / "n.nir")
    assert back.input_shape == network.input_shape
    found = {p.name: p for p in back.populations}
    assert found.keys() == {p.name for p in network.populations}
    for population in network.populations:
        got = found[population.name]
        assert type(got.neuron) is type(population.neuron)
        assert np.allclose(astuple(got.neuron), astuple(population.neuron), atol=1e-6)
        assert_same_current(population.current, got.current)
    assert_same_current(network.readout, back.readout)
