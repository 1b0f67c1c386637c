"""Loops and delays in Lava: every bit of the reference; what does not fit in time is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from support.loops import LoopCase, loop_cases
from support.simulations import assert_equal

from arlif.base.errors import SimulationError
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Projection, QuantizedNetwork
from hw_sim.engines.integer import reference
from hw_sim.engines.lava.launch import simulate
from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.lava.stream import depths
from hw_sim.engines.simulation import Record

pytestmark = pytest.mark.lava


def fits(network: QuantizedNetwork) -> bool:
    """Whether every loop has the time that Lava takes."""
    try:
        depths(network, Models.FAST)
    except SimulationError:
        return False
    return True


@settings(derandomize=True, database=None, phases=[Phase.generate], max_examples=6)
@given(loop_cases(longest=4))
def test_lava_equals_the_reference(case: LoopCase) -> None:
    network, record = case.network, Record.everything(case.network)
    assume(fits(network))
    want = reference.simulate(network, case.inputs, case.time_steps, record)
    got = simulate(network, case.inputs, case.time_steps, record, batch=2)
    assert np.array_equal(want.readout, got.readout)
    for name, trace in want.traces.items():
        assert np.array_equal(want.counts[name], got.counts[name])
        assert np.array_equal(trace.spikes, got.traces[name].spikes)
        for variable, values in trace.states.items():
            assert np.array_equal(values, got.traces[name].states[variable])


def two(delay: int) -> QuantizedNetwork:
    """Two populations in a ring: the way back waits for `delay` steps."""
    network = LoopCase.smallest().network
    (first,) = network.populations
    second = type(first)("b", (2,), first.neuron, first.gain, 0, first.bias)
    weight = Dense(np.eye(2, dtype=np.int8))
    ends = Dense(np.ones((3, 2), np.int8))
    projections = (
        Projection(INPUT, "a", (weight,)),
        Projection("a", "b", (weight,)),
        Projection("b", "a", (weight,), 0, delay),
        Projection("b", READOUT, (ends,)),
    )
    return QuantizedNetwork(network.input, (first, second), projections, network.readout, 3)


def test_a_loop_over_two_layers_fits_from_a_delay_of_two_on() -> None:
    assert depths(two(2), Models.FAST) == {INPUT: 0, "a": 1, "b": 2, READOUT: 3}
    with pytest.raises(
        SimulationError,
        match=r"the loop (a -> b -> a|b -> a -> b) takes 2 time steps in Lava.*delays are 1 in "
        r"all; give it delays of 2 or more",
    ):
        depths(two(1), Models.FAST)


def test_a_forward_delay_is_time_to_spare() -> None:
    network = two(2)
    others = [p for p in network.projections if p.source != INPUT]
    late = Projection(INPUT, "a", (Dense(np.eye(2, dtype=np.int8)),), 0, 1)
    waiting = QuantizedNetwork(
        network.input, network.populations, (late, *others), network.readout, 3
    )
    assert depths(waiting, Models.FAST)["a"] == 0


def test_lava_runs_on_until_the_slowest_layer_is_done() -> None:
    """A readout that waits is level with the input: its last sum comes before the last spikes."""
    network = two(2)
    ring, ends = network.projections[:-1], network.projections[-1]
    busy = tuple(replace(p, bias=np.full(2, 300)) for p in network.populations)
    network = replace(network, populations=busy, projections=(*ring, replace(ends, delay=3)))
    assert depths(network, Models.FAST)[READOUT] == 0
    inputs, record = np.full((1, 2), 127, np.int8), Record.everything(network)
    want = reference.simulate(network, inputs, 4, record)
    assert all(trace.spikes[-1].any() for trace in want.traces.values())
    assert_equal(want, simulate(network, inputs, 4, record))


def test_lavas_own_synapses_take_no_delays() -> None:
    with pytest.raises(SimulationError, match=r"b -> a has a delay.*--lava-models fast"):
        depths(two(2), Models.STOCK)
