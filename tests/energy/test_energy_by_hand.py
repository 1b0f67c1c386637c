"""Counts, reports and prices at the ends of their ranges, against numbers worked out by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.billed_network import billed_network, billed_sample, sent

from arlif.base.errors import ArlifError
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork, Readout
from hw_sim.energy.bill import energy_report
from hw_sim.energy.catalogue import INTEGER, LOIHI1, MEMORY, PAPER, find_model
from hw_sim.energy.counter import CHUNK, OperationCounter, count, synaptic_operations
from hw_sim.energy.models import HIGHEST_PJ, TableModel
from hw_sim.energy.operations import Operation, OperationKind
from hw_sim.energy.prices import IntegerUnits, memory_access
from hw_sim.energy.traffic import Memory, traffic_bits, weight_bits
from hw_sim.engines.simulation import Simulation, Trace


def two_samples() -> tuple[np.ndarray, Simulation]:
    """The sample that is billed by hand, and one of silence."""
    frames, counts = billed_sample()
    both = {name: np.concatenate([c, np.zeros_like(c)]) for name, c in counts.items()}
    return np.concatenate([frames, np.zeros_like(frames)], axis=1), sent(both)


def only_readout(low: int, high: int, time_steps: int) -> QuantizedNetwork:
    """Two pixels that two classes add up."""
    projection = Projection(INPUT, READOUT, (Dense(np.ones((2, 2), np.int8)),))
    source = Input((2,), 1.0, low, high)
    return QuantizedNetwork(source, (), (projection,), Readout(np.zeros(2)), time_steps)


def test_300_steps_of_a_frame_with_a_pixel_below_0() -> None:
    """Every pixel is sent 300 times to 2 classes; -2 to 2 takes 3 bits, 300 of them 9 more."""
    network, silent = only_readout(-1, 1, 300), Simulation(np.zeros((1, 2), np.int64), {}, {})
    (readout,) = count(network, np.array([[-1, 1]], np.int8), silent, 300).layers
    assert readout.incoming[0].events.tolist() == [600]
    assert readout.synaptic_operations.tolist() == [1200]
    assert (readout.accumulator_bits, readout.state_bits) == (3, 3 + 9)
    (four,) = count(only_readout(-1, 1, 4), np.ones((1, 2), np.int8), silent, 4).layers
    assert four.state_bits == 3 + 3  # a sum of 4 reaches 8


@pytest.mark.parametrize(
    ("low", "high", "graded"), [(0, 1, False), (0, 2, True), (-1, 1, True), (-1, 0, True)]
)
def test_an_event_of_one_bit_is_a_spike_and_any_other_is_graded(
    low: int, high: int, graded: bool
) -> None:
    (route,) = OperationCounter(only_readout(low, high, 1)).routes[READOUT]
    assert route.graded is graded


def test_more_sources_than_are_multiplied_at_a_time() -> None:
    fan_out = np.ones(CHUNK + 1, np.int64)
    assert synaptic_operations(fan_out, np.ones((2, CHUNK + 1), np.uint8)).tolist() == [
        CHUNK + 1,
        CHUNK + 1,
    ]


def test_spikes_that_are_not_those_of_the_inputs_are_refused() -> None:
    network, counter = billed_network(), OperationCounter(billed_network())
    frames, counts = billed_sample()
    short = {"image": counts["image"]}
    more = {"image": counts["image"], "flat": np.zeros((2, 3), np.uint8)}
    none = {name: values[:0] for name, values in counts.items()}
    for inputs, wrong in ((frames, short), (frames, more), (frames[:, :0], none)):
        with pytest.raises(ArlifError, match="over as many samples"):
            count(network, inputs, sent(wrong), 2)
    partly = replace(sent(counts), traces={"image": Trace(np.zeros((2, 1, 2, 3, 3), np.bool_), {})})
    with pytest.raises(ArlifError, match="not recorded"):
        counter.count_steps(frames, partly)
    assert energy_report(network, frames, partly, 2, (PAPER,))["by_step"] is None


def test_memory_moved_is_a_mean_over_samples() -> None:
    image = count(billed_network(), *two_samples(), 2).layers[0]
    assert traffic_bits(image)[Memory.WEIGHTS] == 38 * 4 / 2
    assert traffic_bits(image)[Memory.ACCUMULATORS] == 2 * (38 + 2 * 36) * 7 / 2


def test_a_report_by_hand() -> None:
    """98 operations, or none; 306.5 pJ for the paper; 6 updates of AR-LIF cost 162 pJ each."""
    report = energy_report(billed_network(), *two_samples(), 2, (PAPER, LOIHI1))
    total, (image, flat, readout) = report["total"], report["layers"]
    half = {"mean": 49.0, "std": 49.0, "min": 0.0, "max": 98.0}
    assert total["synaptic_operations"] == half
    assert (total["synaptic_operations_per_step"], total["updates"]) == (24.5, 36 + 6 + 4)
    assert (total["accumulates"], total["multiply_accumulates"]) == (39 / 2, 59 / 2)
    assert image["synaptic_operations_per_step"] == 38 / 2 / 2
    assert (image["rate"], flat["rate"]) == pytest.approx((4 / 36 / 2, 3 / 6 / 2))
    assert readout["rate"] is None
    paper = total["energy_uj"]["paper"]
    assert (paper["mean"], paper["max"]) == pytest.approx((306.5e-6 / 2, 306.5e-6))
    assert (paper["neurons"], paper["memory"]) == (None, None)
    assert flat["energy_uj"]["paper"]["share"] == pytest.approx((21 * 4.6 + 33 * 0.9) / 306.5)
    loihi = flat["energy_uj"]["loihi1"]
    assert loihi["synapses"] == pytest.approx(54 * 23.6e-6 / 2)
    assert (loihi["neurons"], loihi["memory"]) == (pytest.approx(6 * 162e-6), None)


@pytest.mark.parametrize(
    ("weights", "bits"),
    [([0], 2), ([1], 2), ([-1], 2), ([3, -2], 3), ([-4, 1], 4), ([-100], 8), ([127], 8)],
)
def test_weights_are_as_wide_as_the_one_farthest_from_0(weights: list[int], bits: int) -> None:
    assert weight_bits(np.array(weights, np.int8)) == bits


def test_prices_between_and_beyond_the_published_ones() -> None:
    """Additions: 0.003125 pJ a bit beyond 16; 64 bits of SRAM: 20 to 100 pJ over 992 KiB."""
    units, kib = IntegerUnits(), 8 * 1024
    assert [units.add(bits) for bits in (4, 24, 48, 96)] == pytest.approx([0.015, 0.075, 0.15, 0.3])
    assert units.multiply(8, 4) == units.multiply(4, 8) == pytest.approx(0.1)
    assert units.multiply(64, 32) == pytest.approx(3.1 + 1024 * 2.9 / 960)
    sizes = (4, 20, 528, 1272)
    assert [memory_access(64, size * kib) for size in sizes] == pytest.approx([10, 15, 60, 120])
    assert memory_access(16, 20 * kib) == pytest.approx(15 / 4)
    table = Operation(OperationKind.LOOKUP, 16, 20 * kib)
    assert INTEGER.operation(table) == pytest.approx(15 / 4)


def test_a_large_memory_costs_what_its_size_says() -> None:
    """528 KiB of 8-bit weights: 60 pJ per 64 bits. One pixel reads 2,112 of them."""
    weights = np.full((2112, 256), 127, np.int8)
    projection = Projection(INPUT, READOUT, (Dense(weights),))
    source = Input((256,), 1.0, 0, 1)
    network = QuantizedNetwork(source, (), (projection,), Readout(np.zeros(2112)), 1)
    pixel, none = (np.eye(256, dtype=np.int8)[:1] * n for n in (1, 0))
    silent = Simulation(np.zeros((1, 2112), np.int64), {}, {})
    bills = [
        MEMORY.bill(count(network, inputs, silent, 1).layers[0]).memory for inputs in (pixel, none)
    ]
    # 16 bits hold 256 x 127; an accumulator is read and written: 4,224 bytes, less than 8 KiB
    assert bills[0] - bills[1] == pytest.approx([2112 * (8 * 60 + 2 * 16 * 10) / 64])


def test_prices_of_a_user_may_be_nothing_or_a_joule_but_no_more() -> None:
    for price in (0.0, HIGHEST_PJ):
        model = TableModel("x", "y", price, price, {"Readout": HIGHEST_PJ}, {"weights": price})
        assert HIGHEST_PJ == 1e12 == model.neuron_update_pj["Readout"]
    wrong: list[dict[str, Any]] = [
        {"accumulate_pj": 1.1e12},
        {"multiply_accumulate_pj": -0.1},
        {"memory_pj_per_bit": {"weights": -0.1}},
        {"memory_pj_per_bit": {"weights": float("nan")}},
        {"neuron_update_pj": {"Readout": 1.1e12}},
        {"neuron_update_pj": {"Readout": 0.0}},
    ]
    for changes in wrong:
        with pytest.raises(ArlifError, match="pJ; got"):
            replace(model, **changes)


def test_a_file_that_is_no_text_is_no_model(tmp_path: Any) -> None:
    (tmp_path / "a.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ArlifError, match="is not TOML"):
        find_model(str(tmp_path / "a.toml"))
