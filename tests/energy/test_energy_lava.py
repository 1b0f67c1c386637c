"""Events that arrive at connections inside Lava equal the synaptic operations that we count."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.event_counts import arrivals_in_lava, brute_force_operations
from support.raw_neurons import lif_soft, sampled
from support.strategies import Case, cases

from arlif.core.integer_neurons import PRESETS
from arlif.core.maps import Conv2d, Dense, SumPool2d
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
from hw_sim.energy.counter import count
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.lava.requirements import has_lava
from hw_sim.engines.simulation import Record

pytestmark = [
    pytest.mark.lava,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not has_lava(), reason="Lava is not installed here"),
]
STEPS = 3
few = settings(derandomize=True, database=None, phases=[Phase.generate])
"""No shrinking: every attempt starts a simulator for each source."""


def network() -> QuantizedNetwork:
    """Strides, padding, dilation, groups, pools before and behind weights, three shortcuts."""
    rng = np.random.default_rng(5)

    def weight(*shape):
        return rng.integers(-50, 51, shape).astype(np.int8)

    numbers = PRESETS["compact16"]
    arlif = sampled(RealArlif(0.5, 1.0, 1.0, 0.3), numbers)
    lif = lif_soft(numbers.state_format, numbers.factor_bits, 128, 128)

    def population(name, shape, neuron):
        return Population(
            name, shape, neuron, np.full(shape[0], 40), 7, rng.integers(-60, 200, shape[0])
        )

    shapes = {"input": (2, 7, 6), "a": (4, 4, 8), "b": (4, 4, 8), "c": (6, 1, 3)}
    strided = Conv2d(weight(4, 2, 3, 3), stride=(2, 1), padding=(1, 2))
    grouped = Conv2d(weight(4, 2, 3, 2), padding=(1, 1), dilation=(1, 2), groups=2)
    pool_first = (SumPool2d((2, 2), (2, 2)), Conv2d(weight(6, 4, 2, 2)))
    pool_last = (Conv2d(weight(6, 4, 1, 3)), SumPool2d((4, 2), (4, 2)))
    projections = (
        Projection(INPUT, "a", (strided,)),
        Projection("a", "b", (grouped,)),
        Projection("a", "b", ()),
        Projection("b", "c", pool_first),
        Projection("a", "c", pool_last, shift=1),
        *(
            Projection(name, READOUT, (Dense(weight(3, int(np.prod(shapes[name])))),))
            for name in "abc"
        ),
    )
    populations = (
        population("a", shapes["a"], arlif),
        population("b", shapes["b"], lif),
        population("c", shapes["c"], arlif),
    )
    readout = Readout(np.zeros(3, np.int32))
    return QuantizedNetwork(Input(shapes["input"], 1.0), populations, projections, readout, STEPS)


def assert_three_counts_agree(case: Case) -> None:
    """Ours, from the reference engine's counts; what arrives in Lava; a loop over every path."""
    net, inputs, steps = case.network, case.inputs, case.time_steps
    record = Record.everything(net, states=False)
    lava = simulate_lava(net, inputs, steps, record)
    counts = count(net, inputs, simulate(net, inputs, steps), steps)
    ours = {id(p.projection): p for layer in counts.layers for p in layer.incoming}
    for projection, events, arrived in arrivals_in_lava(case, lava):
        mine = ours[id(projection)].operations.tolist()
        assert mine == arrived, str(projection)
        assert mine == brute_force_operations(net, projection, events), str(projection)


def test_a_network_with_every_kind_of_connection():
    net = network()
    inputs = np.random.default_rng(1).integers(-40, 128, (2, *net.input.shape)).astype(np.int8)
    counts = simulate(net, inputs, STEPS).counts
    assert all(0 < counts[name].sum() < counts[name].size * STEPS for name in "abc")
    assert_three_counts_agree(Case(net, inputs, STEPS))


def has_every_part(case: Case) -> bool:
    """Whether a network has a convolution, a pool and several projections into one node."""
    projections = case.network.projections
    maps = {type(linear) for p in projections for linear in p.maps}
    return {Conv2d, SumPool2d} <= maps and len({p.target for p in projections}) < len(projections)


@settings(few, max_examples=1, suppress_health_check=list(HealthCheck))
@given(cases(max_populations=3, max_samples=2, max_steps=6).filter(has_every_part))
def test_random_networks(case: Case):
    assert_three_counts_agree(case)


@pytest.mark.slow
@settings(few, max_examples=50)
@given(cases(max_populations=4, max_samples=3, max_steps=6))
def test_many_random_networks(case: Case):
    assert_three_counts_agree(case)
