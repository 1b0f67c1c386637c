"""Core estimates: by hand, against every cut and every block, monotone in what a core offers."""

import json
from dataclasses import replace
from itertools import product
from math import ceil, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.raw_neurons import lif_soft, sampled
from support.strategies import networks

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.real_neurons import RealArlif
from hw_sim.energy import catalogue
from hw_sim.energy.cores import LIMITS, LOIHI1, LOIHI2, estimate_mapping


def small_network() -> QuantizedNetwork:
    """2 x 8 x 8 -> conv to 32 x 8 x 8 (2,048 neurons) -> 10 classes."""
    neuron = lif_soft(FixedPointFormat(16, 8), 8, 128, 256)
    population = Population("conv", (32, 8, 8), neuron, np.ones(32, int), 0, np.zeros(32, int))
    conv = Conv2d(np.full((32, 2, 3, 3), 127, np.int8), padding=(1, 1))
    dense = Dense(np.full((10, 2048), 7, np.int8))
    projections = (Projection(INPUT, "conv", (conv,)), Projection("conv", READOUT, (dense,)))
    readout = Readout(np.zeros(10, np.int32))
    return QuantizedNetwork(Input((2, 8, 8), 1.0), (population,), projections, readout, 4)


def test_a_small_network_by_hand():
    mapping = estimate_mapping(small_network(), LOIHI1)
    conv, readout = mapping.layers
    # 2,048 neurons take two cores. Cut by channels each has half the kernels and all 128 inputs;
    # cut by rows each would have all kernels and 2 x 5 x 8 inputs: neurons fill both alike.
    assert (conv.total, conv.limit, conv.pieces) == (2, "neurons", 1)
    assert conv.needs["neurons"] == conv.needs["output_axons"] == 1024
    assert readout.needs == {
        "neurons": 10,
        "synaptic_bits": 4 * 10 * 2048,
        "input_axons": 2048,
        "output_axons": 0,
    }
    assert (readout.blocks, mapping.cores, mapping.chips) == ((1,), 3, 1)
    assert mapping.largest is conv
    assert [row["cores"] for row in json.loads(json.dumps(mapping.rows()))] == [2, 1]


@pytest.mark.parametrize(
    ("offer", "blocks", "bits", "axons"),
    [
        # Half of the kernels fit: channels are cut, and every core reads all of the input.
        ({"synaptic_bits": 8 * 16 * 2 * 9}, (2, 1, 1), 8 * 16 * 2 * 9, 128),
        # 6 of 8 rows fit: 4 and their neighbours, which both cores read; the kernels repeat.
        ({"input_axons": 2 * 6 * 8}, (1, 2, 1), 8 * 32 * 2 * 9, 2 * 6 * 8),
    ],
)
def test_axons_repeat_over_channels_and_kernels_over_rows(offer, blocks, bits, axons):
    limits = replace(LOIHI1, neurons=4096, **offer)
    conv = estimate_mapping(small_network(), limits).layers[0]
    assert (conv.blocks[0], sorted(conv.blocks)) == (blocks[0], sorted(blocks))
    assert (conv.needs["synaptic_bits"], conv.needs["input_axons"]) == (bits, axons)


def test_a_neuron_that_reads_too_much_is_divided_over_cores():
    readout = estimate_mapping(small_network(), replace(LOIHI1, input_axons=1000)).layers[1]
    assert (readout.pieces, readout.blocks, readout.total) == (3, (1,), 3)
    assert readout.needs["input_axons"] == ceil(2048 / 3)
    assert readout.needs["neurons"] == 10


def test_a_neuron_that_just_fits_is_not_divided():
    """A neuron of the readout has 2,048 weights of 4 bits, and 2,048 inputs."""
    for offer, size in (("synaptic_bits", 4 * 2048), ("input_axons", 2048)):
        fits, small = (
            estimate_mapping(small_network(), replace(LOIHI1, **{offer: room})).layers[1]
            for room in (size, size - 1)
        )
        assert fits.pieces == 1
        assert fits.needs[offer] == size
        assert small.pieces > 1


def test_of_cuts_into_as_many_cores_the_emptiest_is_taken():
    """By channels a core reads all 128 inputs, by rows 2 x 5 x 8; neurons fill 1,024 of 1,100."""
    limits = replace(LOIHI1, neurons=1100, input_axons=130)
    conv = estimate_mapping(small_network(), limits).layers[0]
    assert (conv.total, conv.blocks[0], conv.limit) == (2, 1, "neurons")


def test_a_neuron_sends_along_each_of_its_projections():
    network = small_network()
    twice = replace(network, projections=(*network.projections, network.projections[1]))
    needs = [estimate_mapping(n, LOIHI2).layers[0].needs["output_axons"] for n in (network, twice)]
    assert needs == [2048, 4096]


@pytest.mark.parametrize(("room", "chips"), [(1, 3), (2, 2), (3, 1), (4, 1)])
def test_chips_are_as_many_as_hold_all_cores(room, chips):
    assert estimate_mapping(small_network(), replace(LOIHI1, cores_per_chip=room)).chips == chips


def test_a_core_holds_the_weights_of_every_map_on_the_way():
    """3 kernels of 4 ones (2 bits) and 5 rows of 27 sevens (4 bits), behind 16 pixels."""
    maps = (Conv2d(np.ones((3, 1, 2, 2), np.int8)), Dense(np.full((5, 27), 7, np.int8)))
    projection = Projection(INPUT, READOUT, maps)
    network = QuantizedNetwork(Input((1, 4, 4), 1.0), (), (projection,), Readout(np.zeros(5)), 1)
    needs = estimate_mapping(network).layers[0].needs
    assert needs["synaptic_bits"] == 3 * 4 * 2 + 5 * 27 * 4
    assert needs["input_axons"] == 16


def test_published_limits():
    """1,024 compartments and 8,192 neurons; 128 KiB of weights, 4,096 axons, 128 cores."""
    assert (LOIHI1.neurons, LOIHI2.neurons) == (1024, 8192)
    for limits in LIMITS.values():
        assert limits.synaptic_bits == 128 * 1024 * 8
        assert limits.input_axons == limits.output_axons == 4096
        assert limits.cores_per_chip == 128
        for name in ("neurons", "synaptic_bits", "input_axons", "output_axons", "cores_per_chip"):
            with pytest.raises(ArlifError, match=f"core's {name} must be at least 1, not 0"):
                replace(limits, **{name: 0})


@st.composite
def tight(draw):
    """Limits that cut small networks."""
    return replace(
        draw(st.sampled_from(list(LIMITS.values()))),
        neurons=draw(st.integers(2, 64)),
        synaptic_bits=draw(st.integers(1, 2000)),
        input_axons=draw(st.integers(1, 64)),
        output_axons=draw(st.integers(8, 64)),
    )


@settings(deadline=None)
@given(networks(), tight())
def test_no_core_holds_more_than_it_offers_and_more_room_takes_no_more_cores(network, limits):
    mapping = estimate_mapping(network, limits)
    for layer in mapping.layers:
        assert max(layer.shares.values()) == layer.fullness <= 1
        assert layer.total * layer.needs["neurons"] >= prod(network.shape(layer.layer))
    roomy = replace(limits, neurons=10**6, output_axons=10**6)
    assert estimate_mapping(network, roomy).cores <= mapping.cores


@settings(deadline=None, max_examples=40)
@given(networks(), tight())
def test_every_block_finds_its_inputs_on_its_core(network, limits):
    """Blocks anywhere read at most the axons that were counted, by the transposed maps."""
    for layer in estimate_mapping(network, limits).layers:
        shape, incoming = network.shape(layer.layer), network.incoming(layer.layer)
        sizes = [ceil(n / parts) for n, parts in zip(shape, layer.blocks, strict=True)]
        read = []
        for corner in product(*map(range, layer.blocks)):
            block = np.zeros(shape, np.int64)
            block[tuple(slice(i * n, (i + 1) * n) for i, n in zip(corner, sizes, strict=True))] = 1
            read.append(sum(np.count_nonzero(reached(network, p, block)) for p in incoming))
        assert max(read) <= layer.pieces * layer.needs["input_axons"]


def reached(network, projection, block):
    """Paths from every source neuron into a block of target neurons."""
    shapes = [network.shape(projection.entering)]
    for linear in projection.maps:
        shapes.append(linear.output_shape(shapes[-1]))
    for linear, shape in zip(reversed(projection.maps), reversed(shapes[:-1]), strict=True):
        block = linear.spread(block, shape)
    for pooled in reversed(projection.ors):
        block = pooled.window.spread(block, network.shape(pooled.source))
    return block


def test_of_layers_that_take_as_many_cores_the_fullest_limits():
    mapping = estimate_mapping(small_network(), LOIHI2)
    conv, readout = mapping.layers
    assert (conv.total, readout.total) == (1, 1)
    assert (conv.limit, readout.limit) == ("output_axons", "input_axons")
    assert conv.fullness == readout.fullness == 0.5
    less = replace(LOIHI2, output_axons=5000)
    assert estimate_mapping(small_network(), less).largest.layer == READOUT
    more = replace(LOIHI2, input_axons=5000)
    assert estimate_mapping(small_network(), more).largest.layer == "conv"


def test_an_arlif_takes_as_many_compartments_on_loihi1_as_it_is_priced_for():
    lif = small_network()
    neuron = sampled(RealArlif(0.5, 1.0, 1.0, 0.0), PRESETS["compact16"])
    arlif = replace(lif, populations=(replace(lif.populations[0], neuron=neuron),))
    cores = [estimate_mapping(n, LOIHI1).layers[0].total for n in (lif, arlif)]
    prices = catalogue.LOIHI1.neuron_update_pj
    assert cores == [2, 4]
    assert cores[1] / cores[0] == prices["Arlif"] / prices["LifSoft"]
    assert estimate_mapping(arlif, LOIHI2).layers[0].needs["neurons"] == 2048


def test_what_is_not_published_is_marked_as_assumed():
    assert any("not published" in text for text in LOIHI2.assumptions)
    assert all(limits.source for limits in LIMITS.values())


def test_a_core_without_room_is_refused():
    with pytest.raises(ArlifError, match="neurons must be at least 1"):
        replace(LOIHI1, neurons=0)
    lif = small_network()
    neuron = sampled(RealArlif(0.5, 1.0, 1.0, 0.0), PRESETS["compact16"])
    arlif = replace(lif, populations=(replace(lif.populations[0], neuron=neuron),))
    with pytest.raises(ArlifError, match="holds a neuron of conv, which takes 2 compartments"):
        estimate_mapping(arlif, replace(LOIHI1, neurons=1))
