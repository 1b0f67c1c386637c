"""Core estimates: by hand, never too few for any resource, monotone in what a core offers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import networks

from arlif.core.formats import FixedPointFormat
from arlif.core.linear import Conv2d, Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.neurons import PRESETS, IntegerArlif, IntegerLifSoft
from arlif.core.real import RealArlif
from arlif.errors import ArlifError
from hw_sim.energy import catalogue
from hw_sim.mapping import LIMITS, LOIHI1, LOIHI2, estimate_mapping


def small_network() -> QuantizedNetwork:
    """2 x 8 x 8 -> conv to 32 x 8 x 8 (2,048 neurons) -> 10 classes."""
    neuron = IntegerLifSoft(FixedPointFormat(16, 8), 8, 128, 256)
    population = Population("conv", (32, 8, 8), neuron, np.ones(32, int), 0, np.zeros(32, int))
    conv = Conv2d(np.full((32, 2, 3, 3), 127, np.int8), padding=(1, 1))
    dense = Dense(np.full((10, 2048), 7, np.int8))
    projections = (Projection(INPUT, "conv", (conv,)), Projection("conv", READOUT, (dense,)))
    readout = Readout(np.zeros(10, np.int32))
    return QuantizedNetwork(Input((2, 8, 8), 1.0), (population,), projections, readout, 4)


def test_a_small_network_by_hand():
    mapping = estimate_mapping(small_network(), LOIHI1)
    conv, readout = mapping.layers
    assert conv.needs == {
        "neurons": 2048,
        "synaptic_bits": 8 * 32 * 2 * 9,
        "input_axons": 128,
        "output_axons": 2048,
    }
    assert (conv.total, conv.limit) == (2, "neurons")
    assert readout.needs["synaptic_bits"] == 4 * 10 * 2048
    assert (readout.total, mapping.cores, mapping.chips) == (1, 3, 1)
    assert mapping.largest is conv
    assert mapping.utilisation(conv)["neurons"] == 1.0
    assert [row["cores"] for row in json.loads(json.dumps(mapping.rows()))] == [2, 1]
    unrolled = estimate_mapping(small_network(), replace(LOIHI1, shared_kernels=False))
    taps = (3 * 8 - 2) ** 2  # along one side, 8 windows of 3 lose 1 tap at either border
    assert unrolled.layers[0].needs["synaptic_bits"] == 8 * 2 * 32 * taps


@given(networks(), st.sampled_from(list(LIMITS.values())), st.integers(1, 64))
def test_cores_hold_what_is_needed_and_no_core_is_spare(network, limits, divisor):
    tight = replace(
        limits,
        neurons=max(1, limits.neurons // divisor**2),
        synaptic_bits=max(1, limits.synaptic_bits // divisor**3),
    )
    mapping, roomy = estimate_mapping(network, tight), estimate_mapping(network, limits)
    assert mapping.cores >= roomy.cores
    for layer in mapping.layers:
        shares = mapping.utilisation(layer)
        assert max(shares.values()) <= 1
        short = {r: n / ((layer.total - 1) or 1) for r, n in layer.needs.items()}
        assert layer.total == 1 or any(n > getattr(tight, r) for r, n in short.items())
        assert shares[layer.limit] * layer.total > layer.total - 1


def test_the_scarcest_resource_limits_a_layer_that_fits_one_core():
    mapping = estimate_mapping(small_network(), LOIHI2)
    readout = mapping.layers[1]
    assert readout.total == 1
    shares = {"neurons": 10 / 8192, "synaptic_bits": 81_920 / 2**20, "input_axons": 0.5}
    assert readout.shares == shares | {"output_axons": 0.0}
    assert readout.limit == "input_axons"


def test_an_arlif_takes_as_many_compartments_on_loihi1_as_it_is_priced_for():
    lif = small_network()
    neuron = IntegerArlif.sample(RealArlif(0.5, 1.0, 1.0, 0.0), PRESETS["compact16"])
    arlif = replace(lif, populations=(replace(lif.populations[0], neuron=neuron),))
    needs = [estimate_mapping(n, LOIHI1).layers[0].needs["neurons"] for n in (lif, arlif)]
    prices = catalogue.LOIHI1.neuron_update_pj
    assert needs == [2048, 4096]
    assert needs[1] / needs[0] == prices["IntegerArlif"] / prices["IntegerLifSoft"]
    assert estimate_mapping(arlif, LOIHI2).layers[0].needs["neurons"] == 2048


def test_what_is_not_published_is_marked_as_assumed():
    assert any("not published" in text for text in LOIHI2.assumptions)
    assert all(limits.source for limits in LIMITS.values())


def test_a_core_without_room_is_refused():
    with pytest.raises(ArlifError, match="neurons must be at least 1"):
        replace(LOIHI1, neurons=0)
