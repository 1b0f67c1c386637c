"""What is read off a simulation: its first samples, its readout alone, how many are right."""

import numpy as np
import pytest
from support.networks_small import digits_like
from support.simulations import assert_equal

from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, Simulation

LABELS = np.array([2, 0, 1, 1])


@pytest.fixture
def few() -> Simulation:
    """Decisions 2, 0, 0, 1: the first of equals."""
    return Simulation(np.array([[1, 2, 3], [5, 5, 5], [9, 8, 9], [0, 1, 0]]), {}, {})


def test_accuracy_is_the_share_of_right_decisions(few: Simulation) -> None:
    assert few.correct(LABELS) == 3
    assert few.accuracy(LABELS) == 0.75
    assert few.confusion(LABELS).trace() == 3


def test_the_first_samples_are_what_they_would_be_alone() -> None:
    network, inputs = digits_like(samples=5)
    record = Record.everything(network)
    whole = reference.simulate(network, inputs, network.time_steps, record)
    alone = reference.simulate(network, inputs[:2], network.time_steps, record)
    assert_equal(alone, whole.first(2))
    assert_equal(whole, whole.first(9))
    assert_equal(Simulation(whole.readout, {}, {}), whole.answers)
