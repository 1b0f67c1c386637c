"""The readout of the fast engine adds up spikes of many steps before it multiplies: still exact.

Every neuron fires at every step, so that a readout is T times what one step gives, by hand.
"""

import numpy as np
import pytest
from support.raw_neurons import lif_hard

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense, LinearMap, SumPool2d
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.engines.integer import fast, reference


def always_firing(
    shape: tuple[int, ...], maps: tuple[LinearMap, ...], bias: list[int], shift: int = 0
) -> QuantizedNetwork:
    """A population of that shape at threshold 0, and what its readout does with every spike."""
    neuron = lif_hard(FixedPointFormat(), 8, 128, threshold=0)
    channels = np.zeros(shape[0], int)
    population = Population("p", shape, neuron, channels, 0, channels)
    drive = Projection(INPUT, "p", ())
    read = Projection("p", READOUT, maps, shift)
    return QuantizedNetwork(Input(shape, 1.0), (population,), (drive, read), Readout(bias), 4)


def dense(inputs: int, *weights: int) -> Dense:
    return Dense(np.array([[weight] * inputs for weight in weights]))


EIGHT = (8, 2, 2)
CASES = {
    # (shape, maps, bias, shift, readout of one step)
    "dense": ((16,), (dense(16, 100, -127),), [0, 0], 0, [1600, -2032]),
    "few inputs": ((3,), (dense(3, 100, -127),), [5, -5], 0, [305, -386]),
    "shifted": ((16,), (dense(16, 100, -127),), [1, 2], 5, [51_201, -65_022]),
    "many outputs": ((16,), (dense(16, *[127, -127] * 70),), [0] * 140, 0, [2032, -2032] * 70),
    # every output of the convolution sums 8 channels x 4 pixels of 127
    "convolution": (EIGHT, (Conv2d(np.full((2, 8, 2, 2), 127)), dense(2, 1)), [0], 0, [8128]),
    # 9 windows over a border of 1 hold 1, 2, 1, 2, 4, 2, 1, 2, 1 pixels: 16 a channel
    "pool": (EIGHT, (SumPool2d((2, 2), (1, 1), (1, 1)), dense(72, 127)), [-9], 0, [16_247]),
    # 2**24 is passed at T = 200: 2**24 / 200 = 83,886 a step
    "past float32": ((1024,), (dense(1024, 82, 81),), [1, 1], 0, [83_969, 82_945]),
}


@pytest.mark.parametrize("steps", [1, 127, 128, 200, 255, 256, 300])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_readout_of_many_steps_is_exact(case, steps: int) -> None:
    shape, maps, bias, shift, one_step = case
    network = always_firing(shape, maps, bias, shift)
    inputs = np.zeros((1, *shape), np.int8)
    want = [[steps * value for value in one_step]]
    for engine in (reference, fast):
        simulation = engine.simulate(network, inputs, steps)
        assert (simulation.counts["p"] == steps).all()
        assert simulation.readout.tolist() == want, engine.__name__


def reading_the_input(weight: int, outputs: int, low: int, high: int) -> QuantizedNetwork:
    """The readout adds up 16 inputs, in as many classes as that."""
    maps = (dense(16, *[weight] * outputs),)
    source = Input((16,), 1.0, low, high)
    return QuantizedNetwork(
        source, (), (Projection(INPUT, READOUT, maps),), Readout([0] * outputs), 4
    )


@pytest.mark.parametrize("outputs", [2, 140])
@pytest.mark.parametrize(("low", "high"), [(-127, 0), (-127, 1), (-1, 127), (0, 127)])
def test_inputs_of_either_sign_are_added_up(low: int, high: int, outputs: int) -> None:
    """Their sums leave int8 below where they do not above; events know no sign."""
    network = reading_the_input(100, outputs, low, high)
    for steps in (1, 2, 200):
        for value in {low, high} - {0}:
            inputs = np.zeros((1, 16), np.int8)
            inputs[0, 0] = value
            want = [[steps * 100 * value] * outputs]
            for engine in (reference, fast):
                assert engine.simulate(network, inputs, steps).readout.tolist() == want


@pytest.mark.parametrize("terms", [1, 2])
def test_sums_of_many_steps_leave_32_bits(terms: int) -> None:
    """One step reaches 127 << 23, about 2**30."""
    one = always_firing((1,), (dense(1, 127, -127),), [0, 0], 23)
    first, read = one.projections
    network = QuantizedNetwork(one.input, one.populations, (first, *[read] * terms), one.readout, 4)
    inputs = np.zeros((1, 1), np.int8)
    want = [[300 * terms * (127 << 23), -300 * terms * (127 << 23)]]
    assert reference.simulate(network, inputs, 300).readout.tolist() == want
    assert fast.simulate(network, inputs, 300).readout.tolist() == want


def test_one_engine_runs_for_any_number_of_steps() -> None:
    """What it compiled for one block of steps is not taken for another."""
    shape, maps, bias, shift, one_step = CASES["past float32"]
    engine = fast.FastEngine(always_firing(shape, maps, bias, shift))
    for steps in (1, 200, 3, 255):
        got = engine.simulate(np.zeros((1, *shape), np.int8), steps)
        assert got.readout.tolist() == [[steps * value for value in one_step]]
