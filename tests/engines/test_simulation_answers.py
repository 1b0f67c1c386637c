"""What is read off a simulation: its first samples, its readout alone, how many are right."""

import numpy as np
import pytest
from support.networks_small import digits_like
from support.simulations import assert_equal

from arlif.base.errors import ArlifError
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, Simulation, Trace, joined

LABELS = np.array([2, 0, 1, 1])


@pytest.fixture
def few() -> Simulation:
    """Decisions 2, 0, 0, 1: the first of equals."""
    return Simulation(np.array([[1, 2, 3], [5, 5, 5], [9, 8, 9], [0, 1, 0]]), {}, {})


def test_accuracy_is_the_share_of_right_decisions(few: Simulation) -> None:
    assert few.correct(LABELS) == 3
    assert few.accuracy(LABELS) == 0.75
    assert few.decisions.tolist() == [2, 0, 0, 1]
    assert few.confusion(LABELS).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_of_other_classes_are_refused(few: Simulation, label: int) -> None:
    with pytest.raises(ArlifError, match=rf"3 classes lie in 0 to 2, not .*{label}"):
        few.confusion(np.array([label, 0, 1, 1]))


def test_what_is_recorded_is_what_every_trace_holds() -> None:
    spikes = {name: np.zeros((5, samples, 2), bool) for name, samples in (("a", 3), ("b", 2))}
    traces = {name: Trace(values) for name, values in spikes.items()}
    assert Simulation(np.zeros((4, 1)), {}, traces).recorded == 2
    assert Simulation(np.zeros((4, 1)), {}, {}).recorded == 0


def test_batches_are_joined_in_their_order() -> None:
    network, inputs = digits_like(samples=5)
    full, spikes = Record.everything(network), Record.everything(network, states=False)
    assert (full.states, spikes.states, spikes.layers) == (True, False, full.layers)

    def run(part: slice, record: Record) -> Simulation:
        return reference.simulate(network, inputs[part], network.time_steps, record)

    for record in (full, spikes):
        parts = [run(slice(0, 2), record), run(slice(2, 3), record), run(slice(3, 5), record)]
        assert_equal(run(slice(0, 5), record), joined(parts))
        parts = [run(slice(0, 2), record), run(slice(2, 3), record), run(slice(3, 5), Record())]
        first = joined(parts)
        assert first.recorded == 3
        assert_equal(run(slice(0, 3), record), first.first(3))


def test_the_first_samples_are_what_they_would_be_alone() -> None:
    network, inputs = digits_like(samples=5)
    record = Record.everything(network)
    whole = reference.simulate(network, inputs, network.time_steps, record)
    alone = reference.simulate(network, inputs[:2], network.time_steps, record)
    assert_equal(alone, whole.first(2))
    assert_equal(whole, whole.first(9))
    assert_equal(Simulation(whole.readout, {}, {}), whole.answers)
