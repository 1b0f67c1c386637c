"""Networks with loops that fire, in Lava: every bit and synaptic event; refusals name the cure."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from support.event_counts import arrivals_in_lava, brute_force_operations, sent_events
from support.live_loops import Tally, live_loop_cases
from support.simulations import assert_equal
from support.strategies import Case

from arlif.base.errors import SimulationError
from arlif.core.network import QuantizedNetwork
from hw_sim.energy.catalogue import fitting_models
from hw_sim.energy.counter import count
from hw_sim.energy.models import network_energy_uj
from hw_sim.engines.integer import fast
from hw_sim.engines.lava import simulate
from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.lava.stream import depths
from hw_sim.engines.simulation import Record

FEW = settings(database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
REFUSAL = re.compile(
    r"the loop (?P<loop>\S.*) takes (?P<steps>\d+) time steps in Lava, one for every connection, "
    r"and its delays are (?P<delays>\d+) in all; give it delays of (?P<least>\d+) or more"
)


def refusal(network: QuantizedNetwork) -> re.Match[str] | None:
    """What Lava says of a network whose loops leave it no time; None where all fit."""
    try:
        depths(network, Models.FAST)
    except SimulationError as error:
        found = REFUSAL.fullmatch(str(error))
        if not found:
            raise
        return found
    return None


def run_in_lava(networks: int, every: int = 1, most: int = 3) -> Tally:
    """That many random networks: Lava is the fast engine; events and energy are those counted.

    every: in one of so many networks Lava's own synapses count what arrives; in all of them it is
    counted by hand from what Lava's neurons sent.
    """
    tally = Tally()

    @settings(FEW, max_examples=10 * networks)
    @given(live_loop_cases(longest=11, most=most))
    def each(case: Case) -> None:
        network = case.network
        if tally.networks == networks:
            return
        assume(refusal(network) is None)
        given = (network, case.inputs, case.time_steps, Record.everything(network))
        ours, lava = fast.simulate(*given), simulate(*given, batch=2)
        assert_equal(ours, lava)
        mine = count(network, case.inputs, ours, case.time_steps)
        theirs = count(network, case.inputs, lava, case.time_steps)
        operations = {id(p.projection): p.operations for la in mine.layers for p in la.incoming}
        for projection in network.projections:
            events = sent_events(case, lava, projection.source)
            by_hand = brute_force_operations(network, projection, events)
            assert operations[id(projection)].tolist() == by_hand, str(projection)
        if tally.networks % every == 0:
            for projection, _, arrived in arrivals_in_lava(case, lava):
                assert operations[id(projection)].tolist() == arrived, str(projection)
        for model in fitting_models(network):
            energy = (network_energy_uj(counts, model) for counts in (mine, theirs))
            assert np.array_equal(*energy)
        tally.add(network, ours.counts)

    each()
    return tally


@pytest.mark.lava
def test_lava_runs_random_loops_that_fire() -> None:
    assert run_in_lava(1, most=1).alive > 0.5


@pytest.mark.lava
@pytest.mark.slow
def test_lava_runs_50_random_loops_that_fire() -> None:
    tally = run_in_lava(50, every=5)
    assert tally.networks == 50
    assert tally.alive > 0.5, tally


def waiting(network: QuantizedNetwork, loop: list[str], steps: int) -> QuantizedNetwork:
    """The network where the projections of a loop that wait longest wait for so many steps more."""
    pairs = list(zip(loop, [*loop[1:], loop[0]], strict=True))
    inside = [p for p in network.projections if (p.source, p.target) in pairs]
    late = max(inside, key=lambda p: p.delay)
    return replace(
        network,
        projections=tuple(
            replace(p, delay=p.delay + steps)
            if (p.source, p.target) == (late.source, late.target)
            else p
            for p in network.projections
        ),
    )


@settings(FEW, max_examples=20)
@given(live_loop_cases(longest=1, most=5))
def test_a_loop_that_is_refused_fits_with_the_delay_that_is_named(case: Case) -> None:
    """Where one loop is cured the next is named; a step less than what is named is refused."""
    network, found = case.network, refusal(case.network)
    for _ in range(40):
        if found is None:
            return
        path = found["loop"].split(" -> ")
        assert path[0] == path[-1]
        short = int(found["least"]) - int(found["delays"])
        assert short > 0
        assert int(found["least"]) == int(found["steps"]) == len(path) - 1
        if short > 1:
            assert refusal(waiting(network, path[:-1], short - 1)) is not None
        network = waiting(network, path[:-1], short)
        found = refusal(network)
    raise AssertionError(f"still refused: {found}")
