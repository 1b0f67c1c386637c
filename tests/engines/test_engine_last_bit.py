"""Accumulators that take all of their 32 bits, on every engine that runs in this process."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.raw_neurons import lif_soft
from support.simulations import assert_equal
from support.strategies_neurons import rngs

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense, LinearMap, SumPool2d, chain_interval, chain_shape
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.engines import onnx
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record

FORM = FixedPointFormat(30, 8)
WEIGHTS: dict[str, Any] = {
    "any": lambda rng, shape: rng.integers(-127, 128, shape),
    "largest": lambda rng, shape: np.full(shape, 127),
    "least": lambda rng, shape: np.full(shape, -127),
    "ends": lambda rng, shape: rng.choice([-127, 127], shape),
    "two bits": lambda rng, shape: rng.integers(-1, 2, shape),
}


@st.composite
def networks(draw: st.DrawFn) -> QuantizedNetwork:
    """A projection, or two, whose shift leaves no bit of the accumulator over."""
    low, high = draw(st.sampled_from([(-127, 127), (-64, 64), (0, 1), (-1, 0), (-127, 3)]))
    shape = (draw(st.sampled_from([1, 3, 5])), 4, draw(st.sampled_from([4, 13, 33])))
    pool = SumPool2d(draw(st.sampled_from([(1, 2), (2, 2), (4, 4)])), (1, 2), (0, 1))
    before: tuple[LinearMap, ...] = draw(st.sampled_from([(), (pool,)]))
    rng, kind = draw(rngs()), WEIGHTS[draw(st.sampled_from(sorted(WEIGHTS)))]
    channels, *size = chain_shape(before, shape)
    if draw(st.booleans()):
        last: LinearMap = Dense(kind(rng, (3, channels * size[0] * size[1])))
    else:
        last = Conv2d(kind(rng, (3, channels, 2, 3)), (2, 1), (1, 0))
    maps = (*before, last)
    reach = max(map(abs, chain_interval(maps, (low, high))))
    many = draw(st.sampled_from([1, 2]))
    shift = min(24, ((2**31 - 1) // (many * max(reach, 1))).bit_length() - 1)
    sums = [Projection(INPUT, "p", maps, shift, delay) for delay in (0, 1)[:many]]
    out = chain_shape(maps, shape)
    neuron = lif_soft(FORM, 8, 128, draw(st.sampled_from([FORM.one, FORM.high])))
    gain = rng.integers(1, 256, 3)
    population = Population("p", out, neuron, gain, draw(st.sampled_from([8, 12])), np.zeros(3))
    readout = Projection("p", READOUT, (Dense(np.ones((1, int(np.prod(out))), int)),))
    static = draw(st.booleans())
    source = Input(shape, 1.0, low, high, static)
    return QuantizedNetwork(source, (population,), (*sums, readout), Readout([0]), 3)


@settings(max_examples=30)
@given(networks(), st.sampled_from(["low", "high", "one", "any"]), rngs())
def test_sums_of_32_bits_are_the_same(
    network: QuantizedNetwork, filled: str, rng: np.random.Generator
) -> None:
    source = network.input
    shape = ((2,) if source.static else (3, 2)) + source.shape
    value = {"low": source.low, "high": source.high, "one": min(1, source.high) or -1}
    frames = np.full(shape, value.get(filled, 0), np.int8)
    if filled == "any":
        frames = rng.integers(source.low, source.high + 1, shape).astype(np.int8)
    record = Record.everything(network)
    want = reference.simulate(network, frames, 3, record)
    assert_equal(want, fast.simulate(network, frames, 3, record))
    assert_equal(want, onnx.simulate(network, frames, 3, record))


def test_they_are_drawn() -> None:
    found: list[int] = []

    @settings(max_examples=30, database=None)
    @given(networks())
    def look(network: QuantizedNetwork) -> None:
        found.append(network.accumulator_bits("p"))

    look()
    assert np.mean(np.array(found) >= 31) > 0.3, found
