"""Two simulations compared in every value; the first that differs is a cause, not an effect."""

from dataclasses import replace

import numpy as np
import pytest
from support.networks_integer import example_network

from arlif.base.errors import ArlifError
from arlif.core.network import READOUT
from hw_sim.comparison.divergence import compare
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, Simulation

NETWORK = example_network()
RAW = np.random.default_rng(5).integers(-100, 101, (6, *NETWORK.input.shape))
TRACED = 2


def simulation(samples: int = 6) -> Simulation:
    """The reference's, with traces of the first two samples."""
    record = Record.everything(NETWORK)
    done = reference.simulate(NETWORK, RAW[:samples], NETWORK.time_steps, record)
    return replace(done, traces=done.first(TRACED).traces)


def test_equal_ones_are_compared_in_every_value() -> None:
    found = compare(NETWORK, simulation(), simulation())
    conv, mixed = 3 * 6 * 6, 5
    assert (found.equal, found.samples, found.traced) == (True, 6, TRACED)
    assert found.spikes_compared == 4 * TRACED * (conv + mixed)
    assert found.counts_compared == 6 * (conv + mixed)
    assert found.readouts_compared == simulation().readout.size
    assert (found.counts_different, found.readouts_different, found.decisions_different) == (
        0,
        0,
        0,
    )


@pytest.mark.parametrize("sample", [0, TRACED - 1, TRACED, 5])
def test_a_wrong_readout_is_found_in_every_sample(sample: int) -> None:
    got = simulation()
    got.readout[sample, 3] += 1
    found = compare(NETWORK, simulation(), got)
    assert found.first is not None
    assert (found.readouts_different, found.spikes_different, found.counts_different) == (1, 0, 0)
    first = found.first
    assert (first.sample, first.layer, first.step) == (sample, READOUT, None)
    assert (first.neuron, first.got - first.want) == ((3,), 1)
    assert str(first).startswith(f"sample {sample}, layer {READOUT}, neuron (3,): sum should be ")


@pytest.mark.parametrize("sample", [0, TRACED, 5])
def test_a_wrong_spike_count_is_a_cause_of_a_wrong_readout(sample: int) -> None:
    got = simulation()
    got.readout[:, 0] += 5
    got.counts["mixed"][sample, 2] += 1
    found = compare(NETWORK, simulation(), got)
    assert found.first is not None
    assert (found.counts_different, found.readouts_different) == (1, 6)
    first = found.first
    assert (first.layer, first.sample, first.neuron) == ("mixed", sample, (2,))
    got.counts["conv"][5, 1, 2, 3] += 1
    again = compare(NETWORK, simulation(), got).first
    assert again is not None
    assert (again.layer, again.neuron, again.variable) == ("conv", (1, 2, 3), "spike count")


def test_what_has_a_step_comes_before_what_is_summed_over_steps() -> None:
    got = simulation()
    got.counts["conv"][:] += 1
    got.traces["mixed"].spikes[3, 1, 4] ^= True
    first = compare(NETWORK, simulation(), got).first
    assert first is not None
    assert (first.layer, first.step, first.sample, first.neuron) == ("mixed", 3, 1, (4,))


def test_of_two_that_ran_a_different_number_the_common_samples_are_compared() -> None:
    got = simulation()
    got.counts["conv"][4] += 1
    assert compare(NETWORK, simulation(4), got).equal
    assert compare(NETWORK, got, simulation(5)).counts_different == 3 * 6 * 6


def test_counts_of_other_neurons_are_refused() -> None:
    got = simulation()
    got.counts["mixed"] = got.counts["mixed"][:, :4]
    with pytest.raises(ArlifError, match=r"layer mixed has neurons \(5,\) in one .* \(4,\)"):
        compare(NETWORK, simulation(), got)
