"""Networks with loops and delays that fire: numpy, C++, torch, ONNX and streams, in every bit."""

import logging
import os
import secrets

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from support.live_loops import Tally, live_loop_cases
from support.simulations import assert_equal
from support.strategies import Case

from arlif.core.network import QuantizedNetwork
from hw_sim.engines import onnx
from hw_sim.engines.integer import reference
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.integer.step_by_step import Stream
from hw_sim.engines.integer.update import TorchUpdate
from hw_sim.engines.simulation import Record, Simulation

logger = logging.getLogger(__name__)
FEW = settings(database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


def without_kernels(network: QuantizedNetwork) -> FastEngine:
    engine = FastEngine(network)
    cpu = torch.device("cpu")
    engine.compiled.updates = {p.name: TorchUpdate(p, cpu) for p in network.populations}
    return engine


def assert_streamed(case: Case, want: Simulation) -> None:
    stream = Stream(case.network, len(want.readout))
    for t in range(case.time_steps):
        done = stream.step(case.inputs if case.network.input.static else case.inputs[t])
        for name, trace in want.traces.items():
            assert np.array_equal(done.spikes[name], trace.spikes[t])
    assert np.array_equal(stream.readout, want.readout)


def run_everywhere(networks: int, first: int, tally: Tally) -> None:
    """Add that many random networks, drawn from a seed, on every engine but Lava."""

    @seed(first)
    @settings(FEW, max_examples=networks)
    @given(live_loop_cases(), st.sampled_from((5, 100, 4_000_000)))
    def each(case: Case, block: int) -> None:
        network, record = case.network, Record.everything(case.network)
        given = (case.inputs, case.time_steps, record)
        want = reference.simulate(network, *given)
        assert_equal(want, FastEngine(network, block_elements=block).simulate(*given))
        assert_equal(want, without_kernels(network).simulate(*given))
        assert_equal(want, onnx.simulate(network, *given))
        assert_streamed(case, want)
        tally.add(network, want.counts)

    each()


def test_every_engine_runs_random_loops_that_fire() -> None:
    tally = Tally()
    run_everywhere(8, 0, tally)
    assert tally.networks == 8
    assert tally.alive > 0.3, tally


@pytest.mark.slow
def test_every_engine_runs_300_random_loops_that_fire() -> None:
    first, tally = int(os.environ.get("LOOPS_SEED") or secrets.randbits(32)), Tally()
    logger.warning("LOOPS_SEED=%d in the environment draws these networks again", first)
    neurons = ("Arlif", "LifSoft", "LifHard", "LifSubtract", "LifWeighted", "Clif", "Cuba")
    users = ("Adaptive", "AdaptiveThreshold", "Bursting", "Random")
    maps = ("Dense", "Conv2d", "SumPool2d")
    ways = ("loop of one", "loop of several", "delayed", "longer than T", "static", "streamed")
    wanted = (*neurons, *users, *maps, *ways)

    def rare() -> list[str]:
        return [name for name in wanted if tally.held[name] < 10]

    # Hypothesis draws some kinds in bursts, so 300 networks may hold hardly any of one.
    for part in range(18):
        if tally.networks < 300 or rare():
            run_everywhere(50, first + part, tally)
    assert not rare(), tally
    assert tally.alive > 0.4, tally
