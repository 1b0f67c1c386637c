"""Table 3 of the paper: operations of its architectures by hand, energies by its formula."""

import pytest

from arlif.base.errors import ArlifError
from arlif.core.network import INPUT, Input
from arlif.networks import build
from arlif.quantize import Precision, linearize, quantize
from arlif.training import load_recipe
from hw_sim.energy.architecture import dense_network
from hw_sim.energy.catalogue import FLOAT, INTEGER
from hw_sim.energy.connections import nominal_connections
from hw_sim.energy.table3 import (
    PaperRow,
    Published,
    energy_uj,
    paper_rows,
    table3,
    table3_row,
    update_pj,
)

RATE = 0.15


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in table3(RATE)}


def conv(cin, cout, side, kernel=3):
    return cin * cout * side**2 * kernel**2


def test_the_table_has_the_five_rows_of_the_paper(rows):
    assert len(rows) == 5


def test_resnet18_by_hand(rows):
    row = rows["CIFAR-10, ResNet-18"]
    spiking = 4 * conv(64, 64, 32)
    for width, side in ((128, 16), (256, 8), (512, 4)):
        spiking += conv(width // 2, width, side) + 3 * conv(width, width, side)
        spiking += conv(width // 2, width, side, kernel=1)
    assert row.spiking_connections_m * 1e6 == pytest.approx(spiking)
    assert row.multiply_accumulates_m * 1e6 == pytest.approx(conv(3, 64, 32) + 512 * 10)
    assert row.parameters_m == pytest.approx(11.2, abs=0.05)
    assert row.neurons == 557_056


def test_the_vgg_rows_by_hand(rows):
    snn = rows["CIFAR10-DVS, VGG-SNN"]
    after_pools = conv(128, 256, 24) + conv(256, 512, 12) + conv(512, 512, 6) + 512 * 9 * 10
    assert snn.multiply_accumulates_m * 1e6 == pytest.approx(conv(2, 64, 48) + after_pools)
    vgg11 = rows["DVS128-Gesture, VGG-11"]
    after_pools = (
        conv(64, 128, 64)
        + conv(128, 256, 32)
        + conv(256, 512, 16)
        + conv(512, 512, 8)
        + 512 * 49 * 11
    )
    assert vgg11.multiply_accumulates_m * 1e6 == pytest.approx(conv(2, 64, 128) + after_pools)
    # Sums of events: only the first layer multiplies, and 2x2 pools quadruple what travels.
    events = 4 * (after_pools - 512 * 49 * 11) + 4 * (10 / 7) ** 2 * 512 * 49 * 11
    events += vgg11.spiking_connections_m * 1e6
    assert vgg11.event_accumulates_m == pytest.approx(events * RATE * 1e-6)
    assert vgg11.event_multiply_accumulates_m * 1e6 == pytest.approx(conv(2, 64, 128))


def test_energies_follow_from_the_operations(rows):
    for row in rows.values():
        want = 4.6 * row.multiply_accumulates_m + 0.9 * RATE * row.spiking_connections_m
        assert row.energy_uj == pytest.approx(want)
        assert row.energy_with_neurons_uj - row.energy_uj == pytest.approx(row.neuron_uj)
        events = 4.6 * row.event_multiply_accumulates_m + 0.9 * row.event_accumulates_m
        assert row.event_energy_with_neurons_uj == pytest.approx(events + row.neuron_uj)
        assert 0 < row.neuron_integer_uj < row.neuron_uj


def test_the_flops_that_the_paper_prints_are_reproduced(rows):
    printed = {r.name: r.published.flops_m for r in paper_rows() if r.published.flops_m}
    assert printed == {"CIFAR10-DVS, VGG-SNN": 2724, "DVS128-Gesture, VGG-11": 4872}
    for name, flops in printed.items():
        assert rows[name].flops_m == pytest.approx(flops, rel=2e-4)
        assert rows[name].differences == {"flops_m": rows[name].flops_m / flops - 1}


def test_the_other_figures_that_the_paper_prints_are_reproduced():
    compared = 0
    for row in paper_rows():
        p = row.published
        if None not in (p.multiply_accumulates_m, p.accumulates_m, p.energy_uj):
            compared += 1
            ours = energy_uj(p.multiply_accumulates_m, p.accumulates_m)
            assert ours == pytest.approx(p.energy_uj, abs=0.05)
        if p.multiply_accumulates_m is not None and "VGG" in row.name:
            ours = dense_network(load_recipe(row.recipe).network()).multiply_accumulates * 1e-6
            assert ours == pytest.approx(p.multiply_accumulates_m, rel=2e-3)
    if not compared:
        pytest.skip("table3.toml holds no printed figures of the paper yet")


def test_printed_figures_give_the_rate_and_are_compared(rows):
    ours = rows["CIFAR10-DVS, VGG-SNN"]
    accumulates = 0.2 * ours.spiking_connections_m
    energy = 4.6 * ours.multiply_accumulates_m + 0.9 * accumulates
    printed = Published(accumulates_m=accumulates, energy_uj=energy / 1.25)
    row = table3_row(PaperRow("row", "cifar10-dvs-vggsnn-t4", printed), rate=None)
    assert row.rate == pytest.approx(0.2)
    assert row.differences == pytest.approx({"accumulates_m": 0.0, "energy_uj": 0.25})


def test_without_a_rate_nothing_is_invented():
    row = table3_row(PaperRow("row", "cifar10-resnet18-t4"), rate=None)
    assert (row.rate, row.accumulates_m, row.energy_uj) == (None, None, None)


def test_silence_and_a_spike_at_every_step_are_rates(rows):
    for row, spikes in zip(table3(0), table3(1), strict=True):
        assert (row.rate, row.accumulates_m, spikes.rate) == (0, 0, 1)
        assert spikes.accumulates_m == pytest.approx(spikes.spiking_connections_m)


def test_an_update_in_integers_by_hand():
    """An accumulator of 24 bits, states of 16, factors of 9 and 11, four tables of 10-bit values.

    Products of bits beyond 64 cost 2.9 pJ per 960, additions beyond 16 bits 0.003125 pJ a bit.
    """
    multiplies = 3 * 0.2 + ((24 * 8 - 64) + (16 * 9 - 64) + (16 * 11 - 64)) * 2.9 / 960
    beyond = [16, *3 * [17], 9, *3 * [2], *14 * [0], 11, *3 * [4], *3 * [1]]
    narrow = 6 * (0.03 + 3 * 0.0025)
    wanted = multiplies + sum(0.05 + 0.003125 * bits for bits in beyond) + narrow + 4 * 100 / 64
    assert update_pj(INTEGER) == pytest.approx(wanted, rel=1e-12)
    assert update_pj(FLOAT) == pytest.approx(3 * 3.7 + 35 * 0.9 + 4 * 100 / 64, rel=1e-12)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_outside_its_range_is_refused(rate):
    with pytest.raises(ArlifError, match="spike rate"):
        table3(rate)


def test_architecture_and_quantized_network_count_the_same_connections():
    config = load_recipe("digits").network()
    linear = linearize(build(config), config.input_shape)
    network = quantize(linear, Input(config.input_shape, 1.0), Precision(), config.time_steps)
    dense = dense_network(config)
    incoming = [network.incoming(p.name)[0] for p in network.populations]
    incoming += network.incoming("readout")
    for layer, projection in zip(dense.layers, incoming, strict=True):
        assert layer.connections * layer.window == nominal_connections(network, projection)
        assert layer.graded == (projection.source == INPUT)
        assert layer.spiking == (not layer.graded and layer.window == 1)
