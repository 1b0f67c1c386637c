"""Events that arrive at connections inside Lava equal the synaptic operations that we count."""

import numpy as np
import pytest

from arlif.core.linear import Conv2d, Dense, SumPool2d, chain_shape
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
from hw_sim.energy.counts import count
from hw_sim.engine.reference import simulate
from hw_sim.lava import Models
from hw_sim.lava import simulate as simulate_lava
from hw_sim.lava.requirements import PINNED, installed
from hw_sim.simulation import Record

pytestmark = [
    pytest.mark.lava,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        installed("lava-nc") != PINNED["lava-nc"], reason="Lava is not installed here"
    ),
]
STEPS = 3


def network() -> QuantizedNetwork:
    """Strides, padding, dilation, groups, pools before and behind weights, three shortcuts."""
    rng = np.random.default_rng(5)

    def weight(*shape):
        return rng.integers(-50, 51, shape).astype(np.int8)

    numbers = PRESETS["compact16"]
    arlif = IntegerArlif.sample(RealArlif(0.5, 1.0, 1.0, 0.3), numbers)
    lif = IntegerLifSoft(numbers.state_format, numbers.factor_bits, 128, 128)

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


def ones(linear):
    """A map of the same geometry that adds one per event."""
    if isinstance(linear, Dense):
        return Dense(np.ones_like(linear.weight))
    if isinstance(linear, Conv2d):
        weight = np.ones_like(linear.weight)
        return Conv2d(weight, linear.stride, linear.padding, linear.dilation, linear.groups)
    return linear


def events_that_lava_adds_up(network, projection, spikes):
    """Send spikes along the projection with all weights 1: Lava's own processes add up events."""
    maps = tuple(ones(linear) for linear in projection.maps)
    shape = network.shape(projection.source)
    total = Dense(np.ones((1, int(np.prod(chain_shape(maps, shape)))), np.int8))
    counter = QuantizedNetwork(
        Input(shape, 1.0, 0, 1, static=False),
        (),
        (Projection(INPUT, READOUT, (*maps, total)),),
        Readout(np.zeros(1, np.int32)),
        STEPS,
    )
    return simulate_lava(counter, spikes.astype(np.int8), STEPS, models=Models.STOCK).readout[:, 0]


def test_events_arriving_in_lava_are_the_operations_we_count():
    net = network()
    rng = np.random.default_rng(1)
    inputs = rng.integers(-40, 128, (2, *net.input.shape)).astype(np.int8)
    record = Record.everything(net, states=False)
    want = simulate(net, inputs, STEPS, record)
    got = simulate_lava(net, inputs, STEPS, record)
    ours, lavas = count(net, inputs, want, STEPS), count(net, inputs, got, STEPS)
    assert all(0 < want.counts[name].sum() < want.counts[name].size * STEPS for name in "abc")
    for mine, its in zip(ours.layers, lavas.layers, strict=True):
        for a, b in zip(mine.incoming, its.incoming, strict=True):
            assert a.operations.tolist() == b.operations.tolist()
            source = a.projection.source
            if source != INPUT:
                spikes = got.traces[source].spikes
                arrived = events_that_lava_adds_up(net, a.projection, spikes)
                assert a.operations.tolist() == arrived.tolist(), str(a.projection)
